/**
 * What every line of the program's log says of the pipeline it is about.
 *
 * @module
 */
import type { PipelineState } from "../../projections/PipelineState.ts"

/** The name, or the id while there is none, and the run under way or last. */
export const annotationsOf = (id: string, { definition, run }: PipelineState): Record<string, string> =>
  run === null ? { pipeline: definition?.name ?? id } : { pipeline: definition?.name ?? id, run: run.id }

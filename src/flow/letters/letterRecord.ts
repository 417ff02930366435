/**
 * A dead letter as its sink gets it: what `dead-letters list --json` shows of it, and of which pipeline it is. What
 * became of it since is in the queue alone.
 *
 * @module
 */
import type { DueLetter } from "../../../projections/LettersDue.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import { rawOfText } from "../../drivers/file/text/rawOf.ts"
import type { Writing } from "../run/Writing.ts"

export const letterRecord = (
  { attempts, branches, id, offset, origin, reason, source, stage }: DueLetter,
  writing: Writing,
  { definition, run }: PipelineState
) => ({
  id,
  pipeline: definition?.name ?? "",
  run: run?.id ?? "",
  stage,
  source,
  offset,
  ...(origin === undefined ? {} : { origin }),
  reason,
  attempts,
  branches,
  batch: writing.batch,
  raw: rawOf(writing, source, offset)
})

/** The bytes a source gave, or what a stage had made of its memory. */
const rawOf = ({ outcome, prepared }: Writing, source: string, offset: number) =>
  source === prepared.of.stage
    ? prepared.read.raw(offset - prepared.offset)
    : rawOfText(JSON.stringify(outcome.made?.[offset]?.payload))

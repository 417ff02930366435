/**
 * The edges out of a stage.
 *
 * @module
 */
import type { Definition, Edge } from "../../../events/Definition.ts"

/** To which stages, in the order of the file, and for which records: all, when there is no `when`. */
export const edgesFrom = (
  definition: Definition,
  name: string
): ReadonlyArray<{ readonly to: string; readonly when: Edge["when"] }> =>
  Object.entries(definition.stages).flatMap(([to, { from }]) =>
    (from ?? []).flatMap(({ stage, when }) => (stage === name ? [{ to, when }] : []))
  )

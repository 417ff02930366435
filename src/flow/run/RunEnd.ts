/**
 * How a run's work ends.
 *
 * @module
 */
import type { Definition } from "../../../events/Definition.ts"
import type { Reason } from "../../../events/PipelineEvent.ts"

/** How the reading of one source ended: at the source's end, asked to stop, or with too many dead letters. */
export type SourceEnd = "source" | "stopped" | "tripped"

/** How a run's work ended: all of it done, asked to stop (and drained), or too many dead letters (and drained). */
export type RunEnd =
  | { readonly _tag: "Finished" }
  | { readonly _tag: "Stopped" }
  | { readonly _tag: "Tripped"; readonly reason: Reason }

/** How the pump ended: nothing is left to do but finish, or the run was drained before its end. */
export type PumpEnd = { readonly _tag: "AtEnd" } | { readonly _tag: "Drained"; readonly end: RunEnd }

/** What the ends of all sources come to; `refused` is a source whose records a sink refused too often. */
export const endOf = (
  ended: ReadonlyMap<string, SourceEnd>,
  refused: string | undefined,
  { threshold, window }: Definition["deadLetters"]
): PumpEnd => {
  const tripped = refused ?? [...ended].find(([, end]) => end === "tripped")?.[0]
  if (tripped !== undefined) {
    const message = `more than ${threshold} of the last ${window} records of ${tripped} are dead letters`
    const reason = { code: "dead_letter_threshold", message }
    return { _tag: "Drained", end: { _tag: "Tripped", reason } }
  }
  return [...ended.values()].includes("stopped")
    ? { _tag: "Drained", end: { _tag: "Stopped" } }
    : { _tag: "AtEnd" }
}

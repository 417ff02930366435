/**
 * What the functions of a program say of a record they have no answer for: it becomes a dead letter, or they
 * want to be asked again.
 *
 * @module
 */
import { Schema } from "effect"
import type { Reason } from "../../events/PipelineEvent.ts"

/** A record that cannot be handled, with the reason of its dead letter. */
export class Nack extends Schema.TaggedError<Nack>()("Nack", {
  code: Schema.String,
  message: Schema.String
}) {}

/** A record that cannot be handled yet. */
export class Retry extends Schema.TaggedError<Retry>()("Retry", {
  message: Schema.String
}) {}

/** Says of a record that it becomes a dead letter. */
export const nack = (message: string, code = "nacked"): Nack => new Nack({ code, message })

/** Says of a record that the stage is to be asked about it again, soon and not for ever. */
export const retry = (message: string): Retry => new Retry({ message })

/** The reason of a dead letter, of whatever a function failed with: its tag, where it has one, is the code. */
export const reasonOfError = (error: unknown): Reason => {
  if (error instanceof Nack) return { code: error.code, message: error.message }
  const tag = (error as { readonly _tag?: unknown } | null | undefined)?._tag
  const message = error instanceof Error && error.message !== "" ? error.message : String(tag ?? error)
  return { code: typeof tag === "string" ? tag : "stage_failed", message }
}

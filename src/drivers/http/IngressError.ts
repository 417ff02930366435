/**
 * Why pushed records were not taken. Nothing of the request was stored, except where `Unavailable` says
 * that nobody knows.
 *
 * @module
 */
import { Schema } from "effect"

const Told = { message: Schema.String, suggestion: Schema.optionalKey(Schema.String) }

export const IngressReason = Schema.TaggedUnion({
  /** The body holds something that is no record. `line` counts from 1. May not be sent again as it is. */
  Malformed: { ...Told, code: Schema.String, line: Schema.Int },
  /** What was asked for does not fit the source: another format, a framing that is not for it. */
  Unsuited: Told,
  /** More bytes than a body may have. */
  TooLarge: { ...Told, bytesMost: Schema.Int },
  /** The spool holds as much as it may. May be sent again once the pipeline has worked some of it off. */
  Full: Told,
  /** The key came with another body before. */
  KeyReused: Told,
  /** No such token was given out for this pipeline. */
  UnknownToken: Told,
  /** The disk did not do what it was asked. Send it again with the same key: it is then stored once. */
  Unavailable: Told
})
export type IngressReason = typeof IngressReason.Type

export class IngressError extends Schema.TaggedError<IngressError>()("IngressError", {
  reason: IngressReason
}) {
  /** May the same request be sent again? */
  get isRetryable(): boolean {
    return this.reason._tag === "Full" || this.reason._tag === "Unavailable"
  }

  override get message(): string {
    return this.reason.message
  }
}

export const refuse = (reason: IngressReason): IngressError => new IngressError({ reason })

/** Whatever a step on the disk threw; an error of ours passes through. */
export const ingressError = (cause: unknown): IngressError => {
  if (cause instanceof IngressError) return cause
  const message = `the records could not be stored: ${cause instanceof Error ? cause.message : String(cause)}`
  const suggestion = "send them again with the same Idempotency-Key: they are then stored once"
  return refuse({ _tag: "Unavailable", message, suggestion })
}

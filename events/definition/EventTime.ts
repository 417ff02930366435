/**
 * When the records of a source happened, as opposed to when they were read.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { DurationMs } from "./Duration.ts"

/**
 * `field` of the payload holds the time (a path, joined by dots), written as `format` says: `iso` (ISO 8601; without a zone it is UTC),
 * `unix_s`, `unix_ms`, or a pattern of `yyyy MM dd HH mm ss SSS` (UTC). A source without a record for
 * `idleTimeout` (ms) holds nobody up. A record is late when it is older than the watermark by more than
 * `allowedLateness` (ms); `onLate` says what becomes of it.
 */
export const EventTime = Schema.Struct({
  field: Schema.NonEmptyString,
  format: Schema.NonEmptyString.pipe(Schema.withDecodingDefaultKey(Effect.succeed("iso"))),
  allowedLateness: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("0ms"))),
  idleTimeout: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("30s"))),
  onLate: Schema.Literals(["dead_letter", "drop", "keep"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("dead_letter" as const))
  )
})
  .pipe(
    Schema.encodeKeys({
      allowedLateness: "allowed_lateness",
      idleTimeout: "idle_timeout",
      onLate: "on_late"
    }),
    Schema.annotateEncoded({ expected: "{ field: at }" })
  )
  .annotate({
    description: "Which field says when a record happened, and what becomes of late ones"
  })
export type EventTime = typeof EventTime.Type

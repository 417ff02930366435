/**
 * The file a pipeline's log is exported to: a header, then one stored event a line.
 *
 * @module
 */
import { Option, Schema } from "effect"
import { StoredEvent } from "../../events/StoredEvent.ts"

export const logFormat = "millrace-log"
export const logFileVersion = 1

/**
 * `events` and `hash` are where the history ends. The file is `masked` when values were replaced; then
 * no event has a hash, because a hash would let a short value be guessed.
 */
export const LogHeader = Schema.Struct({
  format: Schema.Literal(logFormat),
  version: Schema.Int,
  pipeline: Schema.String,
  id: Schema.String,
  stream: Schema.String,
  events: Schema.Int,
  hash: Schema.NullOr(Schema.String),
  masked: Schema.Boolean
})
export type LogHeader = typeof LogHeader.Type

/** A stored event in the order of its columns. `payload` is text inside the text, exactly as stored. */
const LogLine = StoredEvent.pipe(
  Schema.encodeKeys({
    schemaVersion: "schema_version",
    eventId: "event_id",
    causationId: "causation_id",
    correlationId: "correlation_id"
  })
)

const header = Schema.decodeUnknownOption(Schema.fromJsonString(LogHeader))
const row = Schema.decodeUnknownOption(LogLine)

export const readHeader = (line: string): Option.Option<LogHeader> => header(line)

export const readRow = (line: string): Option.Option<StoredEvent> => {
  try {
    return row(JSON.parse(line))
  } catch {
    return Option.none()
  }
}

export const rowLine = (event: StoredEvent, masked: boolean): string =>
  `${JSON.stringify({
    position: event.position,
    stream: event.stream,
    version: event.version,
    type: event.type,
    schema_version: event.schemaVersion,
    at: event.at,
    event_id: event.eventId,
    causation_id: event.causationId,
    correlation_id: event.correlationId,
    by: event.by,
    epoch: event.epoch,
    hash: masked ? null : event.hash,
    payload: event.payload
  })}\n`

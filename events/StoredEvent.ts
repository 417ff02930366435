/**
 * The envelope every event is stored in, and the chain that binds the rows together.
 *
 * @module
 */
import { Schema } from "effect"

/**
 * One row of the log. `version` counts from 1 inside the stream, `position` orders all streams,
 * `at` is milliseconds since 1970 by the engine's Clock, `payload` is the JSON text exactly as stored.
 */
export const StoredEvent = Schema.Struct({
  position: Schema.Int,
  stream: Schema.String,
  version: Schema.Int,
  type: Schema.String,
  schemaVersion: Schema.Int,
  payload: Schema.String,
  at: Schema.Int,
  eventId: Schema.String,
  causationId: Schema.NullOr(Schema.String),
  correlationId: Schema.NullOr(Schema.String),
  by: Schema.String,
  epoch: Schema.Int,
  hash: Schema.String
})
export type StoredEvent = typeof StoredEvent.Type

/** The hash before a stream's first event. */
export const genesisHash = "0".repeat(64)

/**
 * The text whose SHA-256 is an event's `hash`: the previous hash, a newline, and everything that may
 * not change, as one JSON array. The payload goes in as the text that is stored, before upcasting,
 * so an auditor needs no knowledge of its meaning.
 */
export const hashInput = (previous: string, event: Omit<StoredEvent, "hash" | "position">): string =>
  `${previous}\n${JSON.stringify([
    event.stream,
    event.version,
    event.type,
    event.schemaVersion,
    event.at,
    event.eventId,
    event.causationId,
    event.correlationId,
    event.by,
    event.epoch,
    event.payload
  ])}`

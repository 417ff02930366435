/**
 * Rows of a stream, as a log would give them.
 *
 * @module
 */
import type { StoredEvent } from "../../events/StoredEvent.ts"

export const stored = (version: number, type = "Triggered", payload?: string): StoredEvent => ({
  position: version * 10,
  stream: "pipeline/p",
  version,
  type,
  schemaVersion: 1,
  payload: payload ?? `{"_tag":"${type}","reason":"${version}"}`,
  at: version * 1000,
  eventId: `event-${version}`,
  causationId: null,
  correlationId: null,
  by: "local",
  epoch: 1,
  hash: "0".repeat(64)
})

export const history = (length: number): ReadonlyArray<StoredEvent> =>
  Array.from({ length }, (_, index) => stored(index + 1))

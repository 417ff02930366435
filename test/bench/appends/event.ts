/**
 * The event every side stores: a confirmation, the commonest line of a log.
 *
 * @module
 */
import type { StoredEvent } from "../../../events/StoredEvent.ts"
import type { NewEvent } from "../../../src/log/EventLog.ts"

const confirmation = {
  _tag: "StageApplied",
  stage: "store",
  batch: 41_237,
  key: "019b7700-0000-7000-8000-000000000001/0/41237/store",
  attempt: 1,
  records: 1000,
  lagMs: 37,
  checkpoint: { source: "flights", batch: 41_237, offset: 41_238_000 }
}

export const type = confirmation._tag
export const data: unknown = confirmation
const payload = JSON.stringify(confirmation)

let made = 0
const session = crypto.randomUUID().slice(0, 24)

/** With an id nobody else has. */
export const newEvent = (): NewEvent => {
  made += 1
  return {
    eventId: session + made.toString(16).padStart(12, "0"),
    type,
    schemaVersion: 1,
    payload,
    at: 1_767_225_600_000 + made,
    by: "engine",
    causationId: null,
    correlationId: "019b7700-0000-7000-9000-000000000001"
  }
}

/** The same as a row, for a loop that only inserts: what a chain would make of the hash is left out. */
export const newRow = (stream: string, version: number): Omit<StoredEvent, "position"> => ({
  ...newEvent(),
  stream,
  version,
  epoch: 1,
  hash: "0123456789abcdef".repeat(4)
})

export const streamNames = (writers: number): ReadonlyArray<string> =>
  Array.from({ length: writers }, (_, n) => `pipeline/${n}`)

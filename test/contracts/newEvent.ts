import type { NewEvent } from "../../src/log/EventLog.ts"

/** An event to append; only its id matters to most tests. */
export const newEvent = (eventId: string, given: Partial<NewEvent> = {}): NewEvent => ({
  eventId,
  type: "Tested",
  schemaVersion: 1,
  payload: `{"_tag":"Tested","id":${JSON.stringify(eventId)}}`,
  at: 1_000,
  by: "test",
  causationId: null,
  correlationId: null,
  ...given
})

/** `count` events with the ids `<prefix>-1`, `<prefix>-2` … */
export const newEvents = (prefix: string, count: number): ReadonlyArray<NewEvent> =>
  Array.from({ length: count }, (_, i) => newEvent(`${prefix}-${i + 1}`))

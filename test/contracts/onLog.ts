import { type Effect, Stream } from "effect"
import type { EventLog, Head } from "../../src/log/EventLog.ts"

/** Declares a test that is given an empty log. */
export type Test = <A, E>(
  title: string,
  test: (log: EventLog["Service"]) => Effect.Effect<A, E, EventLog>
) => void

export const append = (log: EventLog["Service"], head: Head, events: Parameters<typeof log.append>[2]) =>
  log.append(head.stream, { expectedVersion: head.version, epoch: head.epoch }, events)

export const idsOf = (log: EventLog["Service"], stream: string) =>
  Stream.runCollect(Stream.map(log.read(stream), (event) => event.eventId))

export const streamNames = (count: number) => range(0, count - 1).map((n) => `s${String(n).padStart(4, "0")}`)

export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

/**
 * Our side, the same on every store: fibers that own a stream each and append to it.
 *
 * @module
 */
import { Effect, type ManagedRuntime } from "effect"
import { EventLog, type Head } from "../../../src/log/EventLog.ts"
import { newEvent, streamNames } from "./event.ts"
import type { Trial } from "./Store.ts"

export const throughLog = async (
  runtime: ManagedRuntime.ManagedRuntime<EventLog, unknown>,
  writers: number
): Promise<Trial> => {
  const heads = await runtime.runPromise(
    EventLog.use((log) => Effect.forEach(streamNames(writers), log.claim, { concurrency: 16 }))
  )
  const writing = heads.map((head) => ({ head }))
  return (ms) => runtime.runPromise(EventLog.use((log) => appendUntil(log, writing, ms)))
}

const appendUntil = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  writers: ReadonlyArray<{ head: Head }>,
  ms: number
) {
  let count = 0
  const began = performance.now()
  const end = began + ms
  const write = Effect.fnUntraced(function* (own: { head: Head }) {
    while (performance.now() < end) {
      const { epoch, stream, version } = own.head
      own.head = yield* log.append(stream, { expectedVersion: version, epoch }, [newEvent()])
      count += 1
    }
  })
  yield* Effect.forEach(writers, write, { concurrency: "unbounded", discard: true })
  return (count / (performance.now() - began)) * 1000
})

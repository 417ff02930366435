/**
 * In memory: the log, and an array that rows are pushed to.
 *
 * @module
 */
import { ManagedRuntime } from "effect"
import type { StoredEvent } from "../../../events/StoredEvent.ts"
import { layerMemory } from "../../../src/log/Memory.ts"
import { newRow, streamNames } from "./event.ts"
import type { Store } from "./Store.ts"
import { throughLog } from "./throughLog.ts"

/** Rows between two looks at the clock, which costs more than a push. */
const looks = 100

export const memory: Store = {
  // A log of its own for each trial: it never forgets, and so would grow from one to the next.
  appends: (writers) =>
    Promise.resolve(async (ms) => {
      const runtime = ManagedRuntime.make(layerMemory)
      const rate = await (await throughLog(runtime, writers))(ms)
      await runtime.dispose()
      return rate
    }),
  inserts: (writers) =>
    Promise.resolve((ms) => {
      const streams = streamNames(writers)
      const rows: Array<StoredEvent> = []
      const began = performance.now()
      while (performance.now() < began + ms) {
        for (let i = 0; i < looks; i++) {
          const position = rows.length + 1
          rows.push({ position, ...newRow(streams[position % writers]!, position) })
        }
      }
      return Promise.resolve((rows.length / (performance.now() - began)) * 1000)
    }),
  close: () => Promise.resolve()
}

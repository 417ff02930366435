/**
 * Invariant 7 with sources that never end: what is read and not yet written stays within what the definition
 * allows, in records and in bytes, however slow the sink is. Counted at both ends under a virtual clock.
 */
import { createHash } from "node:crypto"
import { assert, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { type Driver, End, Millrace, Pipeline } from "../../src/index.ts"

interface Flow {
  read: number
  written: number
  most: number
}

/** Endless records of one size, and a sink that takes `perSecond` of them. */
const endless = (flow: Flow, recordBytes: number, perSecond: number): Driver => {
  const text = "x".repeat(recordBytes)
  return {
    name: "endless",
    class: "memory",
    guarantee: "effectively_once",
    source: {
      config: Schema.Struct({}),
      make: () =>
        Effect.succeed({
          open: (from) =>
            Effect.sync(() => {
              let at = Number(from ?? 0)
              return {
                next: ({ bytes, records }) =>
                  Effect.sync(() => {
                    const count = Math.max(1, Math.min(records, Math.floor(bytes / recordBytes)))
                    at += count
                    flow.read += count
                    flow.most = Math.max(flow.most, flow.read - flow.written)
                    return {
                      records: Array.from({ length: count }, () => ({ payload: { text }, metadata: {} })),
                      to: at,
                      digest: createHash("sha256").update(String(at)).digest("hex"),
                      bytes: count * recordBytes,
                      raw: () => ({ encoding: "omitted" as const, data: "", size: recordBytes })
                    }
                  }),
                ack: () => Effect.void,
                progress: () => ({ done: at, total: null, unit: "rows" as const })
              }
            })
        })
    },
    sink: {
      config: Schema.Struct({}),
      make: () =>
        Effect.succeed({
          encode: (payload) => payload,
          open: () =>
            Effect.succeed({
              base: null,
              held: () => Effect.succeed(new Map()),
              write: ({ attempt, records }) =>
                Effect.delay(
                  Effect.sync(() => {
                    flow.written += records.length
                    return { _tag: "Held" as const, held: { attempt, records: records.length } }
                  }),
                  (records.length * 1000) / perSecond
                ),
              flush: Effect.succeed(null),
              finish: Effect.succeed(null),
              publish: Effect.void
            })
        })
    }
  }
}

const kib = 1024
const mib = 1024 * kib

it.effect.each([
  // 4 batches of 1000 records of 1 KiB are less than 4 times 8 MiB: the records bound it.
  { of: "1 KB", recordBytes: kib, most: 4 * 1000 },
  // 8 records of 1 MiB fill a batch: the bytes bound it.
  { of: "1 MB", recordBytes: mib, most: 4 * 8 }
])("an endless source of $of records before a sink of ten a second is held back", ({ most, recordBytes }) => {
  const flow: Flow = { read: 0, written: 0, most: 0 }
  const end = End.make({ use: "endless" }, Schema.Struct({ text: Schema.String }))
  const pipeline = Pipeline.make("endless").pipe(Pipeline.source("in", end), Pipeline.sink("out", end))
  return Effect.gen(function* () {
    const millrace = yield* Millrace
    yield* millrace.define(pipeline)
    yield* millrace.start("endless")
    yield* millrace.trigger("endless", "asked")
    for (let minute = 0; minute < 10; minute++) {
      for (let step = 0; step < 60; step++) yield* TestClock.adjust("1 second")
    }
    assert.isAtMost(flow.most, most)
    // It is held back, not stopped.
    assert.isAbove(flow.written, 0)
    assert.isAbove(flow.read, flow.written)
    yield* millrace.stop("endless").pipe(Effect.forkChild)
    for (let step = 0; step < 600; step++) yield* TestClock.adjust("1 second")
  }).pipe(Effect.provide(Millrace.layerTest({ drivers: [endless(flow, recordBytes, 10)] })))
})

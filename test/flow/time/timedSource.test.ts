import { assert, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { decodeDefinition } from "../../../events/Definition.ts"
import { makeMemoryHub } from "../../../src/drivers/memory/MemoryHub.ts"
import type { SourceRecord } from "../../../src/drivers/Record.ts"
import { validateGraph } from "../../../src/flow/graph/validateGraph.ts"
import { timedSource } from "../../../src/flow/time/timedSource.ts"

const settings = { format: "iso", allowedLateness: 0, idleTimeout: 30_000, onLate: "dead_letter" } as const

const readAll = Effect.fnUntraced(function* (records: ReadonlyArray<SourceRecord>, field: string) {
  const source = yield* timedSource("in", makeMemoryHub().sourceOf("in", records), { ...settings, field })
  const reader = yield* source.open(null)
  return (yield* reader.next({ records: 100, bytes: 1e6 }))!
}, Effect.scoped)

it.effect("a record says when it happened, or is a failure that shows what stood there", () =>
  Effect.gen(function* () {
    const of = (payload: unknown): SourceRecord => ({ payload, metadata: {} })
    const { records } = yield* readAll(
      [
        of({ at: { day: "2024-01-31" } }),
        of({ at: { day: "2024-02-30" } }),
        of({ at: {} }),
        of(["2024-01-31"]),
        of({ at: { day: "x".repeat(500) } }),
        of({ at: { day: 20240131 } }),
        { ...of(null), failure: { code: "bad_json", message: "no JSON" } }
      ],
      "at.day"
    )
    assert.deepStrictEqual(
      records.map(({ eventTime, failure }) => eventTime ?? failure?.code),
      [Date.UTC(2024, 0, 31), ...Array.from({ length: 5 }, () => "bad_event_time"), "bad_json"]
    )
    assert.match(records[1]!.failure!.message, /^at\.day is "2024-02-30"/)
    assert.match(records[2]!.failure!.message, /no field at\.day/)
    assert.match(records[5]!.failure!.message, /^at\.day is the number 20240131, and iso reads texts/)
    assert.isBelow(records[4]!.failure!.message.length, 200)
  })
)

it.effect("positions, digests and raw bytes are those of the source it stands before", () =>
  Effect.gen(function* () {
    const hub = makeMemoryHub()
    const source = hub.source("in", [{ at: "2024-01-31" }, { at: "?" }])
    const limit = { records: 100, bytes: 1e6 }
    const plain = (yield* (yield* source.open(null)).next(limit))!
    const timed = yield* readAll(source.records, "at")
    assert.deepStrictEqual([timed.to, timed.digest, timed.bytes], [plain.to, plain.digest, plain.bytes])
    assert.deepStrictEqual(timed.raw(1), plain.raw(1))
  })
)

it("what cannot be read is found before anything runs", () => {
  const findings = (stages: Record<string, unknown>) =>
    validateGraph(Result.getOrThrow(decodeDefinition({ name: "p", stages }))).map(
      ({ code, pointer }) => `${code} ${pointer}`
    )
  const sink = { from: "a", sink: { use: "memory" } }
  const source = (eventTime: object, more: object = {}) => ({
    a: { source: { use: "memory" }, event_time: eventTime, ...more },
    z: sink
  })
  assert.deepStrictEqual(findings(source({ field: "at.day", format: "dd.MM.yyyy" })), [])
  assert.deepStrictEqual(findings(source({ field: "at", format: "rfc3339" })), [
    "bad_time_format /stages/a/event_time/format"
  ])
  assert.deepStrictEqual(findings(source({ field: "at.__proto__" })), [
    "forbidden_key /stages/a/event_time/field"
  ])
  assert.deepStrictEqual(findings(source({ field: "at..x" })), ["bad_value /stages/a/event_time/field"])
  assert.deepStrictEqual(findings(source({ field: "at" }, { output: { when: "string" } })), [
    "unknown_field /stages/a/event_time/field"
  ])
  assert.deepStrictEqual(
    findings({ ...source({ field: "at" }), z: { ...sink, event_time: { field: "at" } } }),
    ["event_time_not_at_source /stages/z/event_time"]
  )
})

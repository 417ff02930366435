import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Exit, Random, Schema } from "effect"
import { Definition } from "../../../events/Definition.ts"
import { End, givenRecord, Pipeline, rehearse, rehearseDefinition } from "../../../src/index.ts"

const decode = (wire: object): Definition =>
  Schema.decodeUnknownSync(Definition)({ name: "flights", ...wire })

const file = (path: string) => ({ use: "file", path })

const flights = decode({
  stages: {
    flights: { source: file("no/such.ndjson"), output: { origin: "string", delay: "number" } },
    late: { from: "flights", filter: "record.delay > 60" },
    named: {
      from: "late",
      lookup: { ...file("no/such.csv"), match: { origin: "iata" }, into: "airport", on_miss: "dead_letter" }
    },
    store: { from: "named", sink: file("no/out.ndjson") },
    alerts: { from: { stage: "named", when: "record.delay > 300" }, sink: file("no/alerts.ndjson") }
  }
})

const airports = { named: [{ iata: "JFK", city: "New York" }] }

describe("rehearse", () => {
  it.effect("merges sources as the run would, and a letter is of its own source", () =>
    Effect.gen(function* () {
      const timed = (path: string) => ({
        source: file(path),
        event_time: { field: "at", format: "yyyy-MM-dd" }
      })
      const { deadLetters, sinks } = yield* rehearseDefinition(
        decode({
          stages: {
            old: timed("no/old.ndjson"),
            young: timed("no/young.ndjson"),
            store: { from: ["old", "young"], sink: file("no/out.ndjson") }
          },
          merge: "event_time"
        }),
        {
          given: {
            young: [{ at: "2024-01-02" }, { at: "2024-02-30" }, { at: "2024-01-04" }],
            old: [{ at: "2024-01-01" }, { at: "2024-01-03" }]
          }
        }
      )
      assert.deepStrictEqual(
        sinks.store,
        [1, 2, 3, 4].map((day) => ({ at: `2024-01-0${day}` }))
      )
      assert.deepStrictEqual(
        deadLetters.map(({ code, offset, source }) => ({ code, offset, source })),
        [{ code: "bad_event_time", offset: 1, source: "young" }]
      )
    })
  )

  it.effect("takes records through the engine's own stages, and touches no driver", () =>
    Effect.gen(function* () {
      const { counts, deadLetters, failure, sinks } = yield* rehearseDefinition(flights, {
        given: {
          flights: [
            { origin: "JFK", delay: 75 },
            { origin: "JFK", delay: 10 },
            { origin: "XXX", delay: 90 },
            { origin: 7, delay: 90 },
            { origin: "JFK", delay: 301 }
          ]
        },
        lookups: airports
      })
      const airport = airports.named[0]
      assert.deepStrictEqual(sinks, {
        store: [
          { origin: "JFK", delay: 75, airport },
          { origin: "JFK", delay: 301, airport }
        ],
        alerts: [{ origin: "JFK", delay: 301, airport }]
      })
      assert.deepStrictEqual(
        deadLetters.map(({ code, offset, record, stage }) => ({ code, offset, record, stage })),
        [
          { code: "lookup_miss", offset: 2, record: { origin: "XXX", delay: 90 }, stage: "named" },
          { code: "contract_violation", offset: 3, record: { origin: 7, delay: 90 }, stage: "flights" }
        ]
      )
      assert.strictEqual(failure, null)
      assert.deepInclude(counts, { read: 5, lettered: 2, filtered: 1, delivered: 2 })
    })
  )

  it.effect("dead letters are told the same where they go to a sink", () =>
    Effect.gen(function* () {
      const stages = {
        a: { source: file("a"), output: { n: "number" } },
        out: { from: "a", sink: file("out") }
      }
      const given = { a: [{ n: "x" }, { n: 1 }] }
      const plain = yield* rehearseDefinition(decode({ stages }), { given })
      const sent = yield* rehearseDefinition(decode({ stages, dead_letters: { sink: file("dead") } }), {
        given
      })
      assert.lengthOf(sent.deadLetters, 1)
      assert.deepStrictEqual([sent.deadLetters, sent.sinks], [plain.deadLetters, plain.sinks])
    })
  )

  it.effect("stops where too many records are dead letters, and so do the other sources", () =>
    Effect.gen(function* () {
      const two = decode({
        dead_letters: { window: 10, threshold: 1 },
        runtime: { batch_size: 2 },
        stages: {
          a: { source: file("a"), output: { n: "number" } },
          b: { source: file("b") },
          out: { from: ["a", "b"], sink: file("out") }
        }
      })
      const { deadLetters, failure, sinks } = yield* rehearseDefinition(two, {
        given: { a: [{ n: "x" }, { n: 1 }, { n: "y" }, { n: 2 }], b: [{ n: 3 }] }
      })
      assert.strictEqual(failure?.code, "dead_letter_threshold")
      assert.lengthOf(deadLetters, 2)
      assert.deepStrictEqual(sinks.out, [{ n: 1 }])
    })
  )

  it.effect("reads sources in the order in which they are given, whatever the size of a batch", () =>
    Effect.gen(function* () {
      for (const batch_size of [1, 2, 100]) {
        const two = decode({
          runtime: { batch_size, in_flight: 3 },
          stages: {
            a: { source: file("a") },
            b: { source: file("b") },
            out: { from: ["a", "b"], sink: file("out") }
          }
        })
        const ns = (from: number) => Array.from({ length: 9 }, (_, at) => ({ n: from + at }))
        const { sinks } = yield* rehearseDefinition(two, { given: { b: ns(10), a: ns(20) } })
        assert.deepStrictEqual(sinks.out, [...ns(10), ...ns(20)])
      }
    })
  )

  it.effect("leaves the order of sources to a pipeline that has one of its own", () =>
    Effect.gen(function* () {
      const merging = decode({
        merge: "round_robin",
        runtime: { batch_size: 1 },
        stages: {
          a: { source: file("a"), output: { n: "number" } },
          b: { source: file("b") },
          out: { from: ["a", "b"], sink: file("out") }
        }
      })
      const given = { b: [{ n: 10 }, { n: 20 }, { n: 30 }], a: [{ n: 1 }, { n: "x" }] }
      const { deadLetters, sinks } = yield* rehearseDefinition(merging, { given })
      assert.deepStrictEqual(sinks.out, [{ n: 1 }, { n: 10 }, { n: 20 }, { n: 30 }])
      assert.deepInclude(deadLetters[0], { source: "a", offset: 1, code: "contract_violation" })
    })
  )

  it.effect("gives a service its answers, and none of its own", () =>
    Effect.gen(function* () {
      const scored = decode({
        stages: {
          in: { source: file("in") },
          score: { from: "in", service: { endpoints: [{ url: "http://nowhere.invalid" }] } },
          out: { from: "score", sink: file("out") }
        }
      })
      const { deadLetters, sinks } = yield* rehearseDefinition(scored, {
        given: { in: [{ id: 1, of: "x" }, { id: 2 }, { id: 3 }, { id: 4 }, { id: 5 }, { id: 6 }] },
        services: {
          score: [
            { asked: { id: 1 }, payload: { id: 1, score: 0.5 } },
            { asked: { id: 2 }, status: "filter" },
            { asked: { id: 3 }, status: "nack", error: { code: "too_young", message: "no score yet" } },
            { asked: { id: 5 }, payloads: [{ id: 51 }, { id: 52 }] },
            { asked: { id: 6 } }
          ]
        }
      })
      assert.deepStrictEqual(sinks.out, [{ id: 1, score: 0.5 }, { id: 51 }, { id: 52 }, { id: 6 }])
      assert.deepStrictEqual(
        deadLetters.map(({ code, offset }) => [offset, code]),
        [
          [2, "too_young"],
          [3, "no_answer_given"]
        ]
      )
    })
  )

  it.effect("closes windows, drops what comes twice and late, as the engine does", () =>
    Effect.gen(function* () {
      const windows = decode({
        runtime: { batch_size: 2 },
        stages: {
          in: { source: file("in"), event_time: { field: "at", allowed_lateness: "10s" } },
          once: { from: "in", dedupe: { key: "record.id" } },
          parts: { from: "once", explode: { field: "n", into: "n" } },
          minutes: {
            from: "parts",
            aggregate: {
              window: { tumbling: "1m" },
              by: { of: "record.of" },
              make: { count: "count", sum: { sum: "record.n" } }
            }
          },
          out: { from: "minutes", sink: file("out") }
        }
      })
      const record = (id: number, at: string, ...n: ReadonlyArray<number>) => ({
        id,
        of: "x",
        at: `2026-01-01T00:${at}Z`,
        n
      })
      const { deadLetters, sinks } = yield* rehearseDefinition(windows, {
        given: {
          in: [
            record(1, "00:01", 1, 2),
            record(1, "00:02", 100),
            record(2, "00:59", 4),
            record(3, "01:30", 8),
            record(4, "00:30", 1000)
          ]
        }
      })
      const minute = (start: string, end: string, count: number, sum: number) => ({
        of: "x",
        window_start: `2026-01-01T00:${start}:00.000Z`,
        window_end: `2026-01-01T00:${end}:00.000Z`,
        count,
        sum
      })
      assert.deepStrictEqual(sinks.out, [minute("00", "01", 3, 7), minute("01", "02", 1, 8)])
      assert.deepStrictEqual(
        deadLetters.map(({ code, offset }) => [offset, code]),
        [[4, "late"]]
      )
    })
  )

  it.effect("says which names it does not know, and what it was not told", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.flip(
        rehearseDefinition(flights, {
          given: { fligths: [], flights: [{}] },
          lookups: { late: [] },
          services: { x: [] }
        })
      )
      assert.strictEqual(exit._tag, "PlanError")
      if (exit._tag !== "PlanError") return
      assert.deepStrictEqual(
        exit.findings.map(({ code, pointer, suggestion }) => [code, pointer, suggestion]),
        [
          ["unknown_source", "/given/fligths", "flights"],
          ["unknown_lookup", "/lookups/late", "named"],
          ["unknown_service", "/services/x", "it has no service at all"],
          ["missing_table", "/lookups/named", "lookups: { named: [ … rows ] }, or [] for an empty table"]
        ]
      )
    })
  )
})

const In = Schema.Struct({ id: Schema.Number })
const Out = Schema.Struct({ id: Schema.Number, at: Schema.Number, by: Schema.String })

class Who extends Context.Service<Who, { readonly name: string }>()("test/Who") {}

const program = Pipeline.make("program").pipe(
  Pipeline.source("in", End.make({ use: "nowhere" }, In)),
  Pipeline.mapEffect("slow", Out, ({ id }) =>
    Effect.gen(function* () {
      if (id === 3) return yield* Effect.fail("three")
      const { name } = yield* Who
      yield* Effect.delay(Effect.void, id * 3_600_000)
      return { id, at: yield* Clock.currentTimeMillis, by: `${name} ${yield* Random.nextIntBetween(1, 7)}` }
    })
  ),
  Pipeline.sink("out", End.make({ use: "nowhere" }, Out))
)

describe("a program's pipeline", () => {
  const once = rehearse(program, { given: { in: [{ id: 2 }, { id: 1 }, { id: 3 }] }, at: 1_000 }).pipe(
    Effect.provideService(Who, { name: "me" })
  )

  it.effect("runs its functions in a time of its own, also under a clock that stands still", () =>
    Effect.gen(function* () {
      const { deadLetters, sinks } = yield* once
      assert.deepStrictEqual(
        (sinks.out as ReadonlyArray<typeof Out.Type>).map(({ at, id }) => [id, at]),
        [
          [2, 1_000 + 2 * 3_600_000],
          [1, 1_000 + 3_600_000]
        ]
      )
      assert.strictEqual(deadLetters[0]?.message, "three")
      assert.deepStrictEqual((yield* once).sinks, sinks, "the same every time, its dice included")
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
    })
  )

  it.live("keeps what has a time-out waiting no shorter than what is done without it", () =>
    Effect.gen(function* () {
      const timed = Pipeline.make("timed").pipe(
        Pipeline.source("in", End.make({ use: "nowhere" }, In)),
        Pipeline.mapEffect("slow", In, (record) =>
          Effect.as(Effect.timeout(Effect.repeat(Effect.yieldNow, { times: 500 }), "10 millis"), record)
        ),
        Pipeline.sink("out", End.make({ use: "nowhere" }, In))
      )
      const exit = yield* Effect.exit(rehearse(timed, { given: { in: [{ id: 1 }] } }))
      assert.deepStrictEqual(Exit.isSuccess(exit) && exit.value.sinks.out, [{ id: 1 }])
    })
  )

  it.effect("gives a record its key, its metadata and its time", () =>
    Effect.gen(function* () {
      const keyed = decode({
        stages: {
          in: { source: file("in") },
          told: { from: "in", map: { key: "key", type: "metadata.type", year: "event_time.getFullYear()" } },
          out: { from: "told", sink: file("out") }
        }
      })
      const { sinks } = yield* rehearseDefinition(keyed, {
        given: {
          in: [
            givenRecord({}, { key: "k", metadata: { type: "x" }, eventTime: Date.UTC(2025, 11, 31, 23, 30) })
          ]
        }
      })
      assert.deepStrictEqual(sinks.out, [{ key: "k", type: "x", year: 2025 }])
    })
  )
})

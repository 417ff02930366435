/**
 * Going stage by stage means the same as going record by record; only the waiting is new.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { SourceRecord } from "../../../src/drivers/Record.ts"
import {
  type Answers,
  compileRoute,
  dropped,
  type RouteStage,
  reasonOf
} from "../../../src/flow/route/Route.ts"
import { compileStagedRoute } from "../../../src/flow/route/StagedRoute.ts"
import { randomGraph, routeStages } from "../../fixtures/graph.ts"

const Numbers = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })))

const inputs = {
  shape: Numbers.check(Schema.isMinLength(8)),
  payloads: Numbers,
  onUnrouted: Schema.Literals(["dead_letter", "drop"])
}
const recordsOf = (payloads: ReadonlyArray<number>): ReadonlyArray<SourceRecord> =>
  payloads.map((n) => ({
    payload: { n },
    metadata: {},
    ...(n % 11 === 10 ? { failure: { code: "not_json", message: "it is no JSON" } } : {})
  }))

/** The same stage, whose answers have to be waited for; some payloads it wants to be asked about again, once. */
const waits =
  (again: (payload: unknown) => boolean) =>
  (stage: RouteStage): RouteStage => {
    const postponed = new Set<unknown>()
    const answer = (payload: unknown): Answers[number] => {
      if (again(payload) && !postponed.has(payload)) {
        postponed.add(payload)
        return { _tag: "Retry", reason: { code: "retry", message: "not yet" } }
      }
      try {
        const scope = { record: null, metadata: {}, key: null, event_time: null }
        const made = stage.split?.(payload, scope) ?? stage.step?.(payload, scope) ?? payload
        if (made === dropped) return { _tag: "Dropped" }
        return stage.split === undefined
          ? { _tag: "Passed", payload: made }
          : { _tag: "Many", payloads: made as ReadonlyArray<unknown> }
      } catch (error) {
        return { _tag: "Failed", reason: reasonOf(error, "stage_failed") }
      }
    }
    const waiting: RouteStage["waiting"] = (payloads) => Effect.sync(() => payloads.map(answer))
    return { ...stage, step: undefined, split: undefined, waiting }
  }

const numberOf = (payload: unknown): number => (payload as { readonly n: number }).n
for (const [how, change] of [
  ["what the fused route makes of it", (stage: RouteStage) => stage],
  ["the same where every stage waits", waits(() => false)],
  ["the same where every stage asks for some of them again", waits((payload) => numberOf(payload) % 3 === 1)]
] as const) {
  it.effect.prop(
    `makes of any batch ${how}`,
    inputs,
    ({ onUnrouted, payloads, shape }) =>
      Effect.gen(function* () {
        const graph = randomGraph(shape)
        const [inStages, inOne]: [Array<string>, Array<string>] = [[], []]
        const stages = routeStages(graph, inStages)
        const records = recordsOf(payloads)
        // The graph names its stages so that each comes behind those that lead into it.
        const order = graph.map(({ name }) => name)
        const changed = new Map([...stages].map(([name, of]) => [name, change(of)]))
        const staging = yield* Effect.forkChild(
          compileStagedRoute(["in"], changed, order, onUnrouted)(records)
        )
        yield* TestClock.adjust("1 minute")
        const staged = yield* Fiber.join(staging)
        assert.deepStrictEqual(staged, compileRoute(["in"], routeStages(graph, inOne), onUnrouted)(records))
        assert.deepStrictEqual(inStages.toSorted(), inOne.toSorted())
      }),
    { arbitrary: { runs: 400, size: 30 } }
  )
}

it.effect.prop(
  "also of batches whose records come from several sources, each from its own",
  [
    Numbers.check(Schema.isMinLength(8)),
    Schema.Array(Schema.Struct({ n: Schema.Int, source: Schema.Int, isBroken: Schema.Boolean })),
    Schema.Literals(["dead_letter", "drop"])
  ],
  ([shape, inputs, onUnrouted]) =>
    Effect.gen(function* () {
      const graph = randomGraph(shape)
      const stages = routeStages(graph)
      // The last one takes no part: what is left of a run is about other stages.
      const sources = ["in", "s1", "elsewhere"]
      const records = inputs.map(
        ({ isBroken, n }): SourceRecord => ({
          payload: { n: Math.abs(n) },
          metadata: {},
          ...(isBroken ? { failure: { code: "broken", message: "" } } : {})
        })
      )
      const origin = (index: number) => ({
        source: sources[Math.abs(inputs[index]!.source) % 3]!,
        offset: index
      })
      const order = graph.map(({ name }) => name)
      const fused = compileRoute(sources, stages, onUnrouted)(records, origin)
      const staged = yield* compileStagedRoute(sources, stages, order, onUnrouted)(records, 0, origin)
      assert.deepStrictEqual(staged, fused)
      // What a batch makes of its records is what each of them makes alone, from its own source.
      const alone = records.map((record, index) =>
        compileRoute([origin(index).source], stages, onUnrouted)([record])
      )
      for (const [sink, { lettered, records }] of Object.entries(fused.branches)) {
        const each = alone.flatMap(({ branches }) => branches[sink] ?? [])
        assert.deepStrictEqual(
          records,
          each.flatMap((one) => one.records)
        )
        assert.strictEqual(
          lettered,
          each.reduce((sum, one) => sum + one.lettered, 0)
        )
      }
      assert.deepStrictEqual(
        fused.failures.map(({ index, stage }) => [index, stage]),
        alone.flatMap(({ failures }, index) => failures.map(({ stage }) => [index, stage]))
      )
    }),
  { arbitrary: { runs: 300, size: 20 } }
)

const stage = (name: string, of: Partial<RouteStage>): readonly [string, RouteStage] => [
  name,
  {
    name,
    reaches: ["out"],
    step: undefined,
    waiting: undefined,
    encode: undefined,
    check: undefined,
    edges: [],
    ...of
  }
]

const around = (waiting: NonNullable<RouteStage["waiting"]>) =>
  compileStagedRoute(
    ["in"],
    new Map([
      stage("in", { edges: [{ to: "asked", when: undefined }] }),
      stage("asked", { waiting, edges: [{ to: "out", when: undefined }] }),
      stage("out", { encode: (payload) => payload })
    ]),
    ["in", "asked", "out"],
    "dead_letter"
  )([1, 2, 3].map((payload) => ({ payload, metadata: {} })))

it.effect("a waiting step sees a whole batch and answers for each record", () =>
  Effect.gen(function* () {
    const { branches, failures } = yield* around((payloads) =>
      Effect.sync(() =>
        payloads.map((payload) =>
          payload === 2
            ? ({ _tag: "Failed", reason: { code: "no", message: "not this one" } } as const)
            : payload === 3
              ? ({ _tag: "Dropped" } as const)
              : ({ _tag: "Passed", payload: [payload] } as const)
        )
      )
    )
    assert.deepStrictEqual(branches.out?.records, [[1]])
    assert.deepStrictEqual(
      failures.map(({ index, stage }) => ({ index, stage })),
      [{ index: 1, stage: "asked" }]
    )
  })
)

it.effect("a waiting step is told where its payloads come from, pieces of one record included", () =>
  Effect.gen(function* () {
    const seen: Array<readonly [unknown, number, unknown]> = []
    const route = compileStagedRoute(
      ["in"],
      new Map([
        stage("in", { edges: [{ to: "split", when: undefined }] }),
        stage("split", {
          split: (payload) => (payload === 2 ? dropped : [payload, payload]),
          edges: [{ to: "asked", when: undefined }]
        }),
        stage("asked", {
          waiting: (payloads, origins) =>
            Effect.sync(() =>
              payloads.map((payload, at) => {
                seen.push([payload, origins[at]!.offset, origins[at]!.record.key])
                return { _tag: "Passed", payload } as const
              })
            ),
          edges: [{ to: "out", when: undefined }]
        }),
        stage("out", { encode: (payload) => payload })
      ]),
      ["in", "split", "asked", "out"],
      "dead_letter"
    )
    yield* route(
      [1, 2, 3].map((payload) => ({ payload, key: `k${payload}`, metadata: {} })),
      100
    )
    assert.deepStrictEqual(seen, [
      [1, 100, "k1"],
      [1, 100, "k1"],
      [3, 102, "k3"],
      [3, 102, "k3"]
    ])
  })
)

it.effect("a step that answers for another number of records is a defect, not a shift of outcomes", () =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(around(() => Effect.succeed([{ _tag: "Dropped" }])))
    assert.match(String(exit), /answered for 1 of 3/)
  })
)

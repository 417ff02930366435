import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { Definition } from "../../../events/Definition.ts"
import { compileCondition } from "../../../src/flow/expression/Expression.ts"
import { ringCharacters, ringRecords, type Tap, type TapItem } from "../../../src/flow/tap/Tap.ts"
import { TapRegistry, Taps, tapsOfPipelineMost } from "../../../src/flow/tap/Taps.ts"
import { rehearseDefinition } from "../../../src/index.ts"

const file = { use: "file", path: "nowhere" }
const definition = Schema.decodeUnknownSync(Definition)({
  name: "p",
  on_unrouted: "drop",
  dead_letters: { window: 0 },
  runtime: { batch_size: 7 },
  stages: {
    in: { source: file, output: { n: "number" } },
    kept: { from: "in", filter: "record.n > 1" },
    list: { from: "kept", map: { n: "record.n", parts: "[record.n, record.n + 1]" } },
    parts: { from: { stage: "list", when: "record.n < 8" }, explode: { field: "parts", into: "part" } },
    out: { from: ["parts", "list"], sink: file }
  }
})
/** What the rehearsed pipeline is called in the log. */
const id = "rehearsal"

const records = (items: ReadonlyArray<TapItem>) => items.filter((item) => "stage" in item)
const dropped = (items: ReadonlyArray<TapItem>): number =>
  items.reduce((sum, item) => sum + ("dropped" in item ? item.dropped : 0), 0)

const open = (
  registry: TapRegistry,
  stages: ReadonlyArray<string>,
  { perSecond = 1000, where }: { readonly perSecond?: number; readonly where?: string } = {}
) =>
  Effect.gen(function* () {
    const condition = where === undefined ? undefined : yield* Effect.fromResult(compileCondition(where))
    const tap = yield* registry.open(id, { stages: new Set(stages), perSecond, where: condition })
    return tap as Tap
  }).pipe(Effect.orDie)

const run = (registry: TapRegistry, given: ReadonlyArray<unknown>) =>
  Effect.provideService(rehearseDefinition(definition, { given: { in: given } }), Taps, registry)

const N = Schema.Union([Schema.Literals([0, 1, 2, 3, 7, 8, 9]), Schema.Literal("no number")])

describe("a tap", () => {
  it.effect.prop(
    "changes nothing, and accounts for every record that came to its stage",
    [Schema.Array(N).check(Schema.isMaxLength(60)), Schema.Literals([0, 1, 5, 1000])],
    ([ns, perSecond]) =>
      Effect.gen(function* () {
        const given = ns.map((n) => ({ n }))
        const registry = new TapRegistry()
        const alone = yield* run(registry, given)
        const checkStage = Effect.fnUntraced(function* (stage: string) {
          const tap = yield* open(registry, [stage], { perSecond })
          assert.deepStrictEqual(yield* run(registry, given), alone)
          const items = tap.drain()
          const numbers = ns.filter((n) => typeof n === "number")
          const kept = numbers.filter((n) => n > 1)
          const few = kept.filter((n) => n < 8)
          const came = {
            in: ns.length,
            kept: numbers.length,
            list: kept.length,
            parts: few.length,
            out: kept.length + 2 * few.length
          }[stage]!
          assert.strictEqual(records(items).length + dropped(items), came)
          assert.isAtMost(records(items).length, ringRecords)
          if (perSecond === 1000) assert.strictEqual(dropped(items), 0)
          if (perSecond === 0) assert.deepStrictEqual(items, came === 0 ? [] : [{ dropped: came }])
        }, Effect.scoped)
        for (const stage of ["in", "kept", "list", "parts", "out"]) yield* checkStage(stage)
      })
  )

  it.effect("tells each record before and behind its stage, and what became of it", () =>
    Effect.gen(function* () {
      const registry = new TapRegistry()
      const tap = yield* open(registry, ["in", "kept", "parts", "out"])
      yield* run(registry, [{ n: 0 }, { n: "x" }, { n: 2 }])
      const told = records(tap.drain()).map(({ after, before, offset, outcome, reason, stage }) => [
        stage,
        offset,
        outcome,
        before,
        after,
        reason?.code ?? null
      ])
      const [two, list] = ['{"n":2}', '{"n":2,"parts":[2,3]}']
      const [first, second] = ['{"n":2,"parts":[2,3],"part":2}', '{"n":2,"parts":[2,3],"part":3}']
      const parts = [first, second].map((text) => text.replace('"parts":[2,3],', ""))
      assert.deepStrictEqual(told, [
        ["in", 0, "passed", '{"n":0}', '{"n":0}', null],
        ["in", 1, "dead_letter", '{"n":"x"}', '{"n":"x"}', "contract_violation"],
        ["in", 2, "passed", two, two, null],
        ["kept", 0, "filtered", '{"n":0}', null, null],
        ["kept", 2, "passed", two, two, null],
        ["parts", 2, "split", list, `[${parts.join(",")}]`, null],
        ["out", 2, "delivered", parts[0], null, null],
        ["out", 2, "delivered", parts[1], null, null],
        ["out", 2, "delivered", list, null, null]
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("looks only for what it is to look for, and counts nothing else", () =>
    Effect.gen(function* () {
      const registry = new TapRegistry()
      const tap = yield* open(registry, ["kept"], { where: "record.n > 7", perSecond: 2 })
      yield* run(
        registry,
        [1, 8, 2, 9, 8, 3].map((n) => ({ n }))
      )
      const items = tap.drain()
      assert.deepStrictEqual(
        records(items).map(({ before }) => before),
        ['{"n":8}', '{"n":9}']
      )
      assert.deepStrictEqual(items.at(-1), { dropped: 1 })
    }).pipe(Effect.scoped)
  )

  it.effect("keeps to its ring while nobody fetches, and the run comes to its end", () =>
    Effect.gen(function* () {
      const registry = new TapRegistry()
      const tap = yield* open(registry, ["in"], { perSecond: 1_000_000 })
      const count = 5 * ringRecords
      const { counts } = yield* run(
        registry,
        Array.from({ length: count }, (_, n) => ({ n, of: "x".repeat(n % 2 === 0 ? 10 : 20_000) }))
      )
      assert.strictEqual(counts.read, count)
      const items = tap.drain()
      const kept = records(items)
      assert.strictEqual(kept.length + dropped(items), count)
      assert.isAtMost(kept.length, ringRecords)
      const characters = kept.reduce((sum, { after, before }) => sum + before!.length + after!.length, 0)
      assert.isAtMost(characters, ringCharacters)
      assert.deepStrictEqual(items[0], { dropped: count - kept.length }, "what is gone stood before the rest")
      assert.strictEqual(kept.at(-1)?.offset, count - 1)
      assert.deepStrictEqual(tap.drain(), [], "nothing is kept once it was fetched")
    }).pipe(Effect.scoped)
  )

  it.effect("leaves out what is too long, and says so", () =>
    Effect.gen(function* () {
      const registry = new TapRegistry()
      const tap = yield* open(registry, ["kept"])
      yield* run(registry, [{ n: 2, of: "x".repeat(70_000) }])
      const [record] = records(tap.drain())
      assert.deepInclude(record, { before: null, after: null, isCut: true, outcome: "passed" })
    }).pipe(Effect.scoped)
  )

  it.effect("wakes who waits, and is gone with him; so many may look", () =>
    Effect.gen(function* () {
      const registry = new TapRegistry()
      const waiting = yield* open(registry, ["in"]).pipe(
        Effect.flatMap((tap) => Effect.map(tap.some, () => tap.drain())),
        Effect.scoped,
        Effect.forkChild({ startImmediately: true })
      )
      assert.isTrue(registry.isWatched(id))
      yield* run(registry, [{ n: 1 }])
      assert.lengthOf(yield* Fiber.join(waiting), 1)
      assert.isFalse(registry.isWatched(id))
      for (let n = 0; n < tapsOfPipelineMost; n++) assert.isDefined(yield* open(registry, ["in"]))
      assert.isUndefined(yield* open(registry, ["in"]))
    }).pipe(Effect.scoped)
  )
})

/**
 * A process that wakes actors and looks at its heap: prints `{ live, asleep }`, bytes an actor. Arguments:
 * `actors` for ours or `mailboxes` for the least there can be, and how many. Needs `--expose-gc`.
 *
 * @module
 */
import "effect/schema/SchemaJITCompiler/enable"
import { Effect, Exit, Layer, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as PipelineState from "../../../projections/PipelineState.ts"
import { definedAs } from "../../../src/config/definedAs.ts"
import { builtinDrivers } from "../../../src/drivers/builtin.ts"
import { Drivers } from "../../../src/drivers/Drivers.ts"
import { End, File, Pipeline } from "../../../src/index.ts"
import { layerMemoryOn, makeMemoryStore } from "../../../src/log/Memory.ts"
import { Pipelines } from "../../../src/pipeline/Pipelines.ts"
import { mailbox } from "./mailboxes.ts"

const definition = Result.getOrThrow(
  Pipeline.definition(
    Pipeline.make("idle").pipe(
      Pipeline.source("numbers", End.make({ use: "generator" })),
      Pipeline.filterBy("kept", "record.value < 0.9"),
      Pipeline.sink("store", File.ndjson("kept.ndjson"))
    )
  )
)
const wanted = definedAs(definition, ".")

interface Report {
  readonly live: number
  readonly asleep: number
}

/** The log is made first, by a life that ends; then a second life wakes what the log knows. */
const actors = (count: number) =>
  Effect.gen(function* () {
    const store = makeMemoryStore()
    const log = layerMemoryOn(store)
    const drivers = Drivers.layer(builtinDrivers)
    const life = Layer.fresh(Pipelines.layerLocal).pipe(Layer.provide(log), Layer.provide(drivers))
    const ids = Array.from({ length: count }, (_, n) => `idle-${n}`)
    const defineOne = Effect.fnUntraced(function* (id: string) {
      const { actor } = yield* (yield* Pipelines).get(id)
      yield* actor.send({ _tag: "Define", definition: { ...wanted, id, name: id } }, "bench")
    }, Effect.scoped)
    yield* Effect.forEach(ids, defineOne, { discard: true }).pipe(Effect.provide(life))

    return yield* Effect.gen(function* () {
      const pipelines = yield* Pipelines
      const before = heapBytes()
      const scope = yield* Scope.make()
      yield* Effect.forEach(ids, pipelines.get, { discard: true }).pipe(Scope.provide(scope))
      yield* settled
      const awake = heapBytes()
      yield* Scope.close(scope, Exit.void)
      // Longer than the address book keeps an actor that nobody asks for.
      yield* TestClock.adjust("1 hour")
      yield* settled
      const after = heapBytes()
      return { live: (awake - before) / count, asleep: (after - before) / count } satisfies Report
    }).pipe(Effect.provide(life))
  })

/** The same number of mailboxes, each with a state of its own. */
const mailboxes = (count: number) =>
  Effect.gen(function* () {
    const state = JSON.stringify(
      PipelineState.evolve(PipelineState.initial, {
        _tag: "Defined",
        id: "idle",
        ...wanted
      })
    )
    const before = heapBytes()
    const scope = yield* Scope.make()
    const held = yield* Effect.forEach(Array.from({ length: count }), () =>
      mailbox(JSON.parse(state) as PipelineState.PipelineState)
    ).pipe(Scope.provide(scope))
    yield* settled
    const awake = heapBytes()
    const live = (awake - before) / held.length
    held.length = 0
    yield* Scope.close(scope, Exit.void)
    yield* settled
    return { live, asleep: (heapBytes() - before) / count } satisfies Report
  })

/** Lets every fiber reach the place where it waits. */
const settled = Effect.promise(async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
})

const heapBytes = (): number => {
  for (let pass = 0; pass < 4; pass++) global.gc!()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

const [side, count] = [process.argv[2], Number(process.argv[3])]
// Time is turned forward instead of being waited for.
const report: Effect.Effect<Report, unknown> = Effect.provide(
  side === "actors" ? actors(count) : mailboxes(count),
  TestClock.layer({ warningDelay: "1 hour" })
)
process.stdout.write(`${JSON.stringify(await Effect.runPromise(report))}\n`)

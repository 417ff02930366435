/**
 * How a program tests a stage of its own: by hand, one batch at a time, and then in its pipeline.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Batch, Millrace, Worker } from "../../src/index.ts"
import { makeMemoryHub } from "../../src/testing/index.ts"
import { whileTimePasses } from "../support/whileTimePasses.ts"
import { type Screened, screened, screening, Watchlist } from "./Screening.ts"

/** Knows everybody at once, but for Carol, whose answer takes a second question. */
const watchlist = () => {
  const told: Array<string> = []
  const layer = Layer.succeed(Watchlist, {
    open: Effect.sync(() => void told.push("open")),
    risks: (names) =>
      Effect.sync(() => {
        told.push(names.join(" "))
        return names.map((name) => {
          if (name === "Carol" && told.length < 3) return undefined
          return name === "Bob" ? "none" : name === "Mallory" ? "high" : "low"
        })
      }),
    close: Effect.sync(() => void told.push("close"))
  })
  return { told, layer }
}
const pay = (to: string, cents = 100) => ({ to, cents })

it.effect("marks every payment of a batch", () => {
  const { layer } = watchlist()
  return Effect.gen(function* () {
    const worker = Worker.guard(screening)
    yield* worker.open
    const batch = Batch.make<ReturnType<typeof pay>, typeof Screened.Type>([
      pay("Alice", 0),
      pay("Bob"),
      pay("Carol"),
      pay("Mallory")
    ])
    yield* worker.do(batch)
    yield* worker.close
    assert.deepStrictEqual(
      batch.outcomes.map(({ errors, flag }) => [flag, ...errors.map(({ code }) => code)]),
      [["nack", "no_amount"], ["filter"], ["retry"], ["ack"]]
    )
    assert.deepStrictEqual(batch.outcomes[3]?.payloads, [{ ...pay("Mallory"), risk: "high" }])
  }).pipe(Effect.provide(layer))
})

it.effect("keeps an order whole, of which one payment cannot be screened", () => {
  const hub = makeMemoryHub()
  const orders = [
    { id: 1, payments: [pay("Alice"), pay("Bob"), pay("Carol")] },
    { id: 2, payments: [pay("Mallory"), pay("Alice", 0)] }
  ]
  hub.source("orders", orders)
  const { layer, told } = watchlist()
  return Effect.gen(function* () {
    const millrace = yield* Millrace
    yield* millrace.define(screened)
    yield* whileTimePasses(millrace.run("screened"))
    assert.deepStrictEqual(told, ["open", "Alice Bob Carol Mallory Alice", "Carol", "close"])
    assert.deepStrictEqual(hub.sink("risky").records, [
      { ...pay("Alice"), risk: "low" },
      { ...pay("Carol"), risk: "low" }
    ])
    const [letter, ...more] = yield* millrace.deadLetters("screened")
    assert.deepStrictEqual([letter?.offset, letter?.reason.code, more], [1, "no_amount", []])
    assert.deepStrictEqual(JSON.parse(letter?.raw.data ?? ""), orders[1])
  }).pipe(Effect.provide(Millrace.layerTest({ drivers: [hub.driver] })), Effect.provide(layer))
})

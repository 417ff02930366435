/**
 * How a program tests a pipeline of its own: under the test clock, without a file, a server or a wait.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Millrace } from "../../src/index.ts"
import { makeMemoryHub } from "../../src/testing/index.ts"
import { Invoicing, Rates, UnknownCurrency } from "./Invoices.ts"

const rates = Layer.succeed(Rates, {
  toEuro: (currency) =>
    currency === "XXX"
      ? Effect.fail(new UnknownCurrency({ currency }))
      : Effect.succeed(currency === "EUR" ? 1 : 0.5)
})

const setUp = () => {
  const hub = makeMemoryHub()
  hub.source("orders", [
    { id: 1, amount: 10, currency: "EUR" },
    { id: 2, amount: 0, currency: "EUR" },
    { id: 3, amount: 5000, currency: "USD" },
    { id: 4, amount: 7, currency: "XXX" },
    { id: 5, amount: "a lot", currency: "EUR" }
  ])
  return {
    hub,
    layer: Invoicing.layer.pipe(
      Layer.provideMerge(Millrace.layerTest({ drivers: [hub.driver] })),
      Layer.provide(rates)
    )
  }
}

it.effect("invoices what is paid, and keeps what it cannot", () => {
  const { hub, layer } = setUp()
  return Effect.gen(function* () {
    const invoicing = yield* Invoicing
    assert.deepStrictEqual(yield* invoicing.invoiceAll, { invoiced: 2, rejected: 2 })
    assert.deepStrictEqual(hub.sink("invoices").records, [
      { order: 1, euros: 10 },
      { order: 3, euros: 2500 }
    ])
    assert.deepStrictEqual(hub.sink("large").records, [{ order: 3, euros: 2500 }])
    assert.deepStrictEqual(yield* invoicing.rejected, [
      "order 3: UnknownCurrency",
      "order 4: contract_violation"
    ])
  }).pipe(Effect.provide(layer))
})

it.effect("can be watched while it works, and asked afterwards", () => {
  const { layer } = setUp()
  return Effect.gen(function* () {
    const millrace = yield* Millrace
    const invoicing = yield* Invoicing
    yield* invoicing.invoiceAll
    const { lifecycle, run } = yield* millrace.state("invoicing")
    assert.strictEqual(lifecycle, "Completed")
    assert.deepInclude(run?.counts, { read: 5, delivered: 2, filtered: 1, lettered: 2 })
  }).pipe(Effect.provide(layer))
})

/**
 * Millrace inside somebody's own Effect service: orders become invoices, with a rate that another service
 * of the program knows.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { End, Millrace, Pipeline } from "../../src/index.ts"

const Order = Schema.Struct({ id: Schema.Int, amount: Schema.Number, currency: Schema.String })
const Invoice = Schema.Struct({ order: Schema.Int, euros: Schema.Number })

/** What the rest of the program already has. */
export class Rates extends Context.Service<
  Rates,
  { readonly toEuro: (currency: string) => Effect.Effect<number, UnknownCurrency> }
>()("example/Rates") {}

export class UnknownCurrency extends Schema.TaggedError<UnknownCurrency>()("UnknownCurrency", {
  currency: Schema.String
}) {}

const invoicing = Pipeline.make("invoicing", { runtime: { batchSize: 100 } }).pipe(
  Pipeline.source("orders", End.make({ use: "memory", name: "orders" }, Order)),
  Pipeline.filter("paid", (order) => order.amount > 0),
  Pipeline.mapEffect("invoice", Invoice, ({ amount, currency, id }) =>
    Effect.gen(function* () {
      const rates = yield* Rates
      return { order: id, euros: amount * (yield* rates.toEuro(currency)) }
    })
  ),
  Pipeline.sink("invoices", End.make({ use: "memory", name: "invoices" }, Invoice)),
  Pipeline.sink("large", End.make({ use: "memory", name: "large" }, Invoice), { when: "record.euros > 1000" })
)

/** The program's own service: it defines its pipeline once and offers what its callers need. */
export class Invoicing extends Context.Service<
  Invoicing,
  {
    readonly invoiceAll: Effect.Effect<{ readonly invoiced: number; readonly rejected: number }>
    readonly rejected: Effect.Effect<ReadonlyArray<string>>
  }
>()("example/Invoicing") {
  static readonly layer = Layer.effect(
    Invoicing,
    Effect.gen(function* () {
      const millrace = yield* Millrace
      yield* millrace.define(invoicing)
      return Invoicing.of({
        invoiceAll: millrace.run("invoicing").pipe(
          Effect.map(({ state }) => ({
            invoiced: state.run?.counts.applied.invoices ?? 0,
            rejected: state.run?.counts.lettered ?? 0
          })),
          Effect.orDie
        ),
        rejected: millrace.deadLetters("invoicing").pipe(
          Effect.map((letters) => letters.map(({ offset, reason }) => `order ${offset}: ${reason.code}`)),
          Effect.orDie
        )
      })
    })
  )
}

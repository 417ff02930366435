/**
 * A stage of one's own: payments are screened against a list that is opened with the run, and the screening
 * may say of single payments that it does not know yet.
 */
import { Context, Effect, Schema } from "effect"
import { End, Pipeline, Worker } from "../../src/index.ts"

const Order = Schema.Struct({
  id: Schema.Int,
  payments: Schema.Array(Schema.Struct({ to: Schema.String, cents: Schema.Int }))
})
const Payment = Schema.Struct({ to: Schema.String, cents: Schema.Int })
export const Screened = Schema.Struct({
  to: Schema.String,
  cents: Schema.Int,
  risk: Schema.Literals(["low", "high"])
})

/** What the rest of the program already has. */
export class Watchlist extends Context.Service<
  Watchlist,
  {
    readonly open: Effect.Effect<void>
    /** `undefined` while the answer is being looked for. */
    readonly risks: (
      names: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<"none" | "low" | "high" | undefined>>
    readonly close: Effect.Effect<void>
  }
>()("example/Watchlist") {}

export const screening = Worker.make<typeof Payment.Type, typeof Screened.Type, Watchlist>({
  open: Effect.flatMap(Watchlist, ({ open }) => open),
  do: (batch) =>
    Effect.gen(function* () {
      const { risks } = yield* Watchlist
      const payments = batch.activeRecords
      const found = yield* risks(payments.map(({ payload }) => payload.to))
      for (const [index, { at, payload }] of payments.entries()) {
        const risk = found[index]
        if (risk === undefined) batch.retry(at)
        else if (risk === "none") batch.filter(at)
        else if (payload.cents <= 0) batch.nack(at, Pipeline.nack("nothing was paid", "no_amount"))
        else batch.setRecords(at, [{ ...payload, risk }])
      }
    }),
  close: Effect.flatMap(Watchlist, ({ close }) => close)
})

export const screened = Pipeline.make("screened").pipe(
  Pipeline.source("orders", End.make({ use: "memory", name: "orders" }, Order)),
  Pipeline.explode("payments", Payment, ({ payments }) => payments),
  Pipeline.custom("screen", Screened, screening),
  Pipeline.sink("risky", End.make({ use: "memory", name: "risky" }, Screened))
)

/**
 * A pipeline that runs by itself: every morning at six, in the local time of the office, the night's orders
 * are totalled for somebody who reads them with the first coffee.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { End, type Fire, Millrace, type MillraceError, Pipeline } from "../../src/index.ts"

const Order = Schema.Struct({ id: Schema.Int, amount: Schema.Number })
const Line = Schema.Struct({ order: Schema.Int, text: Schema.String })

const report = Pipeline.make("morning-report", {
  schedule: Pipeline.cron("0 6 * * *", "Europe/Berlin", { catchUp: "one" })
}).pipe(
  Pipeline.source("orders", End.make({ use: "memory", name: "orders" }, Order)),
  Pipeline.map("line", Line, ({ amount, id }) => ({ order: id, text: `${amount.toFixed(2)} €` })),
  Pipeline.sink("report", End.make({ use: "memory", name: "report" }, Line))
)

/** The program's own service: while its layer lives, the report is made every morning. */
export class MorningReport extends Context.Service<
  MorningReport,
  {
    /** When the next reports are due, in the office's time. */
    readonly upcoming: Effect.Effect<ReadonlyArray<Fire>, MillraceError>
    /** No reports during the holidays; `resume` ends them. */
    readonly holidays: Effect.Effect<void, MillraceError>
    readonly resume: Effect.Effect<void, MillraceError>
  }
>()("example/MorningReport") {
  static readonly layer = Layer.effect(
    MorningReport,
    Effect.gen(function* () {
      const millrace = yield* Millrace
      yield* millrace.define(report)
      yield* millrace.start("morning-report")
      return MorningReport.of({
        upcoming: millrace.nextTicks("morning-report", 3),
        holidays: millrace.pause("morning-report"),
        resume: millrace.start("morning-report")
      })
    })
  )
}

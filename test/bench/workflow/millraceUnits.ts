/**
 * Units of work as runs: one record, through a map, into three sinks that each confirm it in the log.
 *
 * @module
 */
import { Effect, ManagedRuntime, Redacted, Schema } from "effect"
import { End, Millrace, Pipeline } from "../../../src/index.ts"
import { makeMemoryHub } from "../../../src/testing/index.ts"

const Order = Schema.Struct({ id: Schema.Int, amount: Schema.Int })

const steps = ["reserve", "charge", "ship"] as const

/** Runs so many units at once, again and again; a pipeline has one run at a time, so each lane has its own. */
export const openMillrace = async (url: string, lanes: number) => {
  const hub = makeMemoryHub()
  const runtime = ManagedRuntime.make(
    Millrace.layerPostgres({ url: Redacted.make(url), schema: "units", drivers: [hub.driver] })
  )
  const names = Array.from({ length: lanes }, (_, lane) => `units-${lane}`)
  hub.source("orders", [{ id: 1, amount: 20 }])
  await runtime.runPromise(
    Effect.forEach(names, (name) =>
      Millrace.use((millrace) => Effect.andThen(millrace.define(unit(name)), millrace.start(name)))
    )
  )
  return {
    /** One unit from being asked for to being over, on a lane of its own. */
    run: async (lane: number): Promise<void> => {
      const name = names[lane]!
      const state = await runtime.runPromise(
        Millrace.use((millrace) => Effect.andThen(millrace.trigger(name), millrace.await(name)))
      )
      if (state.lifecycle !== "Completed") throw new Error(`a unit ended as ${state.lifecycle}`)
    },
    /** How often each step has happened, over all units. */
    done: () => steps.map((step) => hub.sinks.get(step)?.records.length ?? 0),
    close: () => runtime.dispose()
  }
}

const unit = (name: string) => {
  const started = Pipeline.make(name).pipe(
    Pipeline.source("orders", End.make({ use: "memory", name: "orders" }, Order)),
    Pipeline.map("priced", Order, ({ amount, id }) => ({ id, amount: amount + 1 }))
  )
  return started.pipe(
    Pipeline.sink("reserve", End.make({ use: "memory", name: "reserve" }, Order)),
    Pipeline.sink("charge", End.make({ use: "memory", name: "charge" }, Order)),
    Pipeline.sink("ship", End.make({ use: "memory", name: "ship" }, Order))
  )
}

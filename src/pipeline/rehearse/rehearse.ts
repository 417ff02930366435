/**
 * A pipeline tried on given records: the engine's own plan, routes, batches, dead letters and windows, on a
 * log in memory and a clock of its own, without any driver.
 *
 *     const { deadLetters, sinks } = yield* rehearse(lateFlights, {
 *       given: { flights: [{ origin: "JFK", delay: 75 }] },
 *       lookups: { named: [{ iata: "JFK", name: "New York" }] }
 *     })
 *
 * @module
 */
import { Effect, Result } from "effect"
import type { Definition } from "../../../events/Definition.ts"
import { finding, isError } from "../../../events/Finding.ts"
import { Drivers } from "../../drivers/Drivers.ts"
import type { SourceRecord } from "../../drivers/Record.ts"
import { type Functions, noFunctions } from "../../flow/Functions.ts"
import { validateGraph } from "../../flow/graph/validateGraph.ts"
import * as Plan from "../../flow/Plan.ts"
import { broken } from "../../flow/PlanError.ts"
import * as RunWorker from "../../flow/run/RunWorker.ts"
import { trippingOffset } from "../../flow/run/threshold.ts"
import * as Pipeline from "../Pipeline.ts"
import { provideAll } from "../programFunction.ts"
import { withAnswers, withoutServices } from "./givenAnswers.ts"
import { Notebook } from "./Notebook.ts"
import { GivenRecord, type Rehearsal, type RehearsalError, type Rehearsed } from "./Rehearsal.ts"
import { rehearsalDrivers } from "./rehearsalDriver.ts"
import { rehearsalFindings } from "./rehearsalFindings.ts"
import { virtualTime } from "./virtualTime.ts"

/** What a time-less rehearsal begins at. */
const someday = Date.UTC(2000, 0, 1)

/**
 * Runs a pipeline of a program, its functions included; effectful ones run with the environment of this call,
 * in the rehearsal's own time. Fails with findings where names do not fit, or the pipeline cannot run.
 */
export const rehearse = <Stages, Current, R>(
  pipeline: Pipeline.Pipeline<Stages, Current, R>,
  rehearsal: Rehearsal<Stages>
): Effect.Effect<Rehearsed, RehearsalError, R> =>
  Effect.gen(function* () {
    const definition = Pipeline.definition(pipeline)
    if (Result.isFailure(definition)) {
      return yield* broken(finding("bad_definition", [], definition.failure.message))
    }
    // The functions get the environment as it is here, with the time of the rehearsal in it.
    const functions = provideAll(pipeline.functions, yield* Effect.context<R>())
    return yield* run(definition.success, functions, rehearsal as Rehearsal)
  }).pipe(virtualTime(rehearsal.at ?? someday))

/** The same for a definition as a file gives it; `functions` are those of its stages that are functions. */
export const rehearseDefinition = (
  definition: Definition,
  rehearsal: Rehearsal,
  functions: Functions = noFunctions
): Effect.Effect<Rehearsed, RehearsalError> =>
  virtualTime(rehearsal.at ?? someday)(run(definition, functions, rehearsal))

const run = Effect.fnUntraced(function* (
  definition: Definition,
  functions: Functions,
  rehearsal: Rehearsal
): Effect.fn.Return<Rehearsed, RehearsalError> {
  const wrong = [...validateGraph(definition).filter(isError), ...rehearsalFindings(definition, rehearsal)]
  if (wrong.length > 0) return yield* broken(...wrong)
  const given = Object.fromEntries(
    Object.entries(rehearsal.given).map(([source, records]) => [source, (records ?? []).map(recordOf)])
  )
  const ends = rehearsalDrivers(definition, { given, tables: rehearsal.lookups ?? {} })
  const notebook = new Notebook(definition)
  const failure = yield* Effect.gen(function* () {
    const plan = yield* Plan.compile(
      withoutServices(definition),
      { pipeline: { id: notebook.state.id, name: definition.name }, base: "." },
      withAnswers(definition, functions, rehearsal.services ?? {})
    )
    const append: RunWorker.RunWorkerOptions["journal"]["append"] = (entry) =>
      Effect.sync(() => {
        notebook.note({ _tag: "Record", entry })
        for (const [source, { nacks }] of Object.entries(notebook.state.run?.sources ?? {})) {
          if (trippingOffset(plan.deadLetters, nacks, []) !== undefined) ends.cutShort(source)
        }
        return notebook.state
      })
    // Nobody asks for a redrive here.
    const fetch = () => Effect.die(new Error("nothing is redriven in a rehearsal"))
    const worker = yield* RunWorker.make({
      plan,
      journal: { append },
      state: notebook.state,
      epoch: 1,
      fetch
    })
    // What the log in memory is asked to take it takes.
    const end = yield* Effect.catchTag(worker.run, "JournalError", Effect.die)
    return end._tag === "Tripped" ? end.reason : null
  }).pipe(Effect.scoped, Effect.provideService(Drivers, ends.drivers))
  return {
    sinks: Object.fromEntries(
      sinkNames(definition).map((name) => [name, ends.sinks.get(name)?.records ?? []])
    ),
    deadLetters: notebook.letters,
    counts: notebook.state.run!.counts,
    failure
  }
})

const recordOf = (given: unknown): SourceRecord =>
  given instanceof GivenRecord
    ? { metadata: {}, ...given.with, payload: given.payload }
    : { payload: given, metadata: {} }

const sinkNames = (definition: Definition): ReadonlyArray<string> =>
  Object.entries(definition.stages).flatMap(([name, { sink }]) => (sink === undefined ? [] : [name]))

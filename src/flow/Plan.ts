/**
 * A definition made ready to run: its drivers resolved, its expressions and contracts compiled, its
 * stages fused into one route per source.
 *
 * @module
 */
import { Effect, type Scope as EffectScope, Result, Schema } from "effect"
import {
  type Definition,
  isMapEdit,
  type Lookup,
  type MapStage,
  type Stage
} from "../../events/Definition.ts"
import { Finding, finding } from "../../events/Finding.ts"
import type { Reason } from "../../events/PipelineEvent.ts"
import type { AnyOffer, DriverContext } from "../drivers/Driver.ts"
import { Drivers } from "../drivers/Drivers.ts"
import type { SourceRecord } from "../drivers/Record.ts"
import type { Sink } from "../drivers/Sink.ts"
import type { Source } from "../drivers/Source.ts"
import { compileContract } from "./contract/Contract.ts"
import { compileCondition, compileValue } from "./expression/Expression.ts"
import { type Functions, noFunctions } from "./Functions.ts"
import { order, reach, successors } from "./graph/order.ts"
import { reachableSinks } from "./graph/reachableSinks.ts"
import type { Outcome } from "./Outcome.ts"
import { compileRoute, dropped, RecordFailure, type RouteStage, type Step } from "./Route.ts"
import { compileStagedRoute } from "./StagedRoute.ts"
import { atStage, type StageError } from "./StageError.ts"

export interface PlannedSource {
  readonly stage: string
  readonly source: Source
  readonly route: (records: ReadonlyArray<SourceRecord>) => Effect.Effect<Outcome>
  /** The sinks records of this source may reach. */
  readonly branches: ReadonlyArray<string>
}

export interface PlannedSink {
  readonly stage: string
  readonly sink: Sink
}

export interface Plan {
  readonly sources: ReadonlyArray<PlannedSource>
  readonly sinks: ReadonlyArray<PlannedSink>
  readonly runtime: Definition["runtime"]
  readonly deadLetters: Definition["deadLetters"]
}

/** The definition cannot be run as it is; every reason at once. */
export class PlanError extends Schema.TaggedError<PlanError>()("PlanError", {
  findings: Schema.Array(Finding)
}) {
  override get message(): string {
    return this.findings.map((finding) => `${finding.code} ${finding.pointer}: ${finding.message}`).join("; ")
  }
}

/**
 * Compiles a validated definition. Lookups are loaded here, sources and sinks are made but not opened:
 * everything that must be closed again lives in the scope. With `only`, nothing but these sinks takes part:
 * the stages that lead to none of them are left out, and a record that goes there has gone its way.
 */
export const compile = Effect.fnUntraced(function* (
  definition: Definition,
  context: Omit<DriverContext, "stage">,
  functions: Functions = noFunctions,
  only: ReadonlyArray<string> | null = null
): Effect.fn.Return<Plan, PlanError | StageError, Drivers | EffectScope.Scope> {
  const reaches = reachableSinks(definition, only)
  const names = Object.keys(definition.stages).filter(
    (name) => only === null || (reaches.get(name) ?? []).length > 0
  )
  const stages = new Map<string, RouteStage>()
  const sinks: Array<PlannedSink> = []
  for (const name of names) {
    const stage = definition.stages[name]!
    const sink =
      stage.sink === undefined
        ? undefined
        : yield* made((yield* Drivers).get(stage.sink.use)?.sink, "sink", name, stage.sink, context)
    if (sink !== undefined) sinks.push({ stage: name, sink })
    stages.set(name, {
      name,
      reaches: reaches.get(name) ?? [],
      step: yield* compileStep(name, stage, context, functions),
      waiting: functions.get(name)?.waiting,
      encode: sink === undefined ? undefined : (payload) => sink.encode(payload),
      check: functions.get(name)?.check ?? (yield* compileCheck(name, stage)),
      edges: yield* compileEdges(name, definition)
    })
  }
  const sources: Array<PlannedSource> = []
  for (const name of names) {
    const use = definition.stages[name]!.source
    if (use === undefined) continue
    sources.push({
      stage: name,
      source: yield* made((yield* Drivers).get(use.use)?.source, "source", name, use, context),
      route: routeFrom(name, stages, definition),
      branches: reaches.get(name) ?? []
    })
  }
  return { sources, sinks, runtime: definition.runtime, deadLetters: definition.deadLetters }
})

/** Fused into one loop where nothing waits, else stage by stage. */
const routeFrom = (
  source: string,
  stages: ReadonlyMap<string, RouteStage>,
  definition: Definition
): PlannedSource["route"] => {
  const reached = reach([source], successors(definition))
  const names = order(definition).filter((name) => reached.has(name) && stages.has(name))
  if (names.some((name) => stages.get(name)?.waiting !== undefined)) {
    return compileStagedRoute(source, stages, names, definition.onUnrouted)
  }
  const fused = compileRoute(source, stages, definition.onUnrouted)
  return (records) => Effect.sync(() => fused(records))
}

const broken = (...findings: ReadonlyArray<Finding>): PlanError => new PlanError({ findings })

const made = Effect.fnUntraced(function* <End>(
  offer: AnyOffer<End> | undefined,
  kind: string,
  name: string,
  use: { readonly use: string },
  context: Omit<DriverContext, "stage">
): Effect.fn.Return<End, PlanError | StageError, EffectScope.Scope> {
  const at = ["stages", name, kind]
  if (offer === undefined) {
    return yield* broken(
      finding("unknown_driver", [...at, "use"], `there is no driver ${use.use} with a ${kind}`)
    )
  }
  const { use: _, ...settings } = use
  const config = Schema.decodeUnknownResult(offer.config)(settings, {
    errors: "all",
    onExcessProperty: "error"
  })
  if (Result.isFailure(config)) return yield* broken(finding("bad_settings", at, config.failure.message))
  return yield* offer.make(config.success, { ...context, stage: name }).pipe(atStage(name))
})

const compileCheck = Effect.fnUntraced(function* (name: string, stage: Stage) {
  if (stage.output === undefined) return undefined
  const contract = compileContract(stage.output)
  if (Result.isFailure(contract)) {
    return yield* broken(finding("bad_contract", ["stages", name, "output"], contract.failure.message))
  }
  const { check } = contract.success
  return (payload: unknown): Reason | undefined => {
    const wrong = check(payload)
    return wrong === undefined
      ? undefined
      : {
          code: "contract_violation",
          message: `${wrong.path === "" ? "the record" : wrong.path}: ${wrong.message}`
        }
  }
})

const compileEdges = Effect.fnUntraced(function* (name: string, definition: Definition) {
  const edges: Array<RouteStage["edges"][number]> = []
  for (const [to, stage] of Object.entries(definition.stages)) {
    for (const edge of stage.from ?? []) {
      if (edge.stage !== name) continue
      const when = edge.when === undefined ? undefined : yield* condition(edge.when, ["stages", to, "from"])
      edges.push({ to, when })
    }
  }
  return edges
})

const condition = (text: string, at: ReadonlyArray<string>) =>
  Effect.mapError(Effect.fromResult(compileCondition(text)), (error) =>
    broken(finding("bad_expression", at, error.message))
  )

const compileStep = Effect.fnUntraced(function* (
  name: string,
  stage: Stage,
  context: Omit<DriverContext, "stage">,
  functions: Functions
): Effect.fn.Return<Step | undefined, PlanError | StageError, Drivers | EffectScope.Scope> {
  if (stage.function !== undefined) {
    const provided = functions.get(name)
    if (provided?.step !== undefined || provided?.waiting !== undefined) return provided.step
    const message = `the program does not provide the function of ${name}`
    const suggestion = "run it with the program that defines it: a function is not in the log"
    return yield* broken(finding("missing_function", ["stages", name, "function"], message, suggestion))
  }
  if (stage.filter !== undefined) {
    const holds = yield* condition(stage.filter, ["stages", name, "filter"])
    return (payload, scope) => {
      scope.record = payload
      return holds(scope) ? payload : dropped
    }
  }
  if (stage.map !== undefined) return yield* compileMap(name, stage.map)
  if (stage.lookup !== undefined) return yield* compileLookup(name, stage.lookup, context)
  return undefined
})

const compileMap = Effect.fnUntraced(function* (name: string, map: MapStage) {
  const edit = isMapEdit(map) ? map : undefined
  const at = ["stages", name, "map", ...(edit === undefined ? [] : ["set"])]
  const fields = Object.entries(edit === undefined ? (map as Record<string, string>) : (edit.set ?? {}))
  const values: Array<readonly [string, (scope: Parameters<Step>[1]) => unknown]> = []
  for (const [field, text] of fields) {
    const value = compileValue(text)
    if (Result.isFailure(value)) {
      return yield* broken(finding("bad_expression", [...at, field], value.failure.message))
    }
    values.push([field, value.success])
  }
  const drop = edit?.drop ?? []
  const step: Step = (payload, scope) => {
    scope.record = payload
    const mapped: Record<string, unknown> = edit === undefined ? {} : { ...asObject(payload, name) }
    for (const field of drop) delete mapped[field]
    for (const [field, value] of values) {
      try {
        mapped[field] = value(scope)
      } catch (error) {
        throw new RecordFailure(
          "expression_failed",
          `${field}: ${error instanceof Error ? error.message : error}`
        )
      }
    }
    return mapped
  }
  return step
})

const compileLookup = Effect.fnUntraced(function* (
  name: string,
  lookup: Lookup,
  context: Omit<DriverContext, "stage">
): Effect.fn.Return<Step, PlanError | StageError, Drivers | EffectScope.Scope> {
  const { default: fallback, into, match, on_miss, take, ...use } = lookup
  const offer = (yield* Drivers).get(lookup.use)?.lookup
  const end = yield* made(offer, "lookup", name, use, context)
  const fields = Object.keys(match)
  const table = yield* end.open(Object.values(match)).pipe(atStage(name))
  const wanted = wantedColumns(take)
  return (payload) => {
    const record = asObject(payload, name)
    const row = table.get(fields.map((field) => record[field]))
    const found = row === undefined ? (on_miss === "default" ? (fallback ?? null) : undefined) : wanted(row)
    if (found === undefined) {
      if (on_miss === "drop") return dropped
      if (on_miss === "pass_through") return payload
      throw new RecordFailure(
        "lookup_miss",
        `nothing matches ${JSON.stringify(fields.map((field) => record[field]))}`
      )
    }
    return into === undefined ? { ...record, ...(found as object) } : { ...record, [into]: found }
  }
})

/** The wanted columns of a row, cut out once per row: rows are shared and never changed. */
const wantedColumns = (take: ReadonlyArray<string> | undefined) => {
  if (take === undefined) return (row: Readonly<Record<string, unknown>>) => row
  const cut = new WeakMap<object, Record<string, unknown>>()
  return (row: Readonly<Record<string, unknown>>) => {
    const known = cut.get(row)
    if (known !== undefined) return known
    const taken = Object.fromEntries(take.map((column) => [column, row[column] ?? null]))
    cut.set(row, taken)
    return taken
  }
}

const asObject = (payload: unknown, stage: string): Readonly<Record<string, unknown>> => {
  if (typeof payload === "object" && payload !== null && !Array.isArray(payload)) {
    return payload as Readonly<Record<string, unknown>>
  }
  throw new RecordFailure("not_an_object", `${stage} needs a record with fields`)
}

/**
 * A stage that makes one record of many: what a record adds to its windows, and what becomes of a window
 * that has closed. It remembers nothing itself; windows and deltas are values.
 *
 * @module
 */
import { Effect, Result } from "effect"
import type { Aggregate } from "../../../events/Definition.ts"
import type { WindowOfGroup } from "../../../events/WindowsDelta.ts"
import type { Windows } from "../../../projections/Windows.ts"
import { canonical } from "../contract/Contract.ts"
import { compileValue, type Scope } from "../expression/Expression.ts"
import { aggregateFindings } from "../graph/aggregateFindings.ts"
import { broken, type PlanError } from "../PlanError.ts"
import { RecordFailure } from "../route/Route.ts"
import { compileMeasure, resultOf } from "./compileMeasure.ts"
import { type Contribution, contribute, type TakenIn } from "./contribute.ts"
import { windowsOf } from "./windowsOf.ts"

export type { Contribution } from "./contribute.ts"

export interface Aggregator {
  /** Begins a batch behind these open windows. */
  readonly contribution: (open: Windows) => Contribution
  /** The record of a window that has closed. */
  readonly record: (closed: WindowOfGroup) => Readonly<Record<string, unknown>>
}

/** Fails with all findings about the settings at once. */
export const compileAggregate = (name: string, aggregate: Aggregate): Effect.Effect<Aggregator, PlanError> =>
  Effect.suspend(() => {
    const findings = aggregateFindings(name, aggregate)
    if (findings.length > 0) return Effect.fail(broken(...findings))
    const takeIn = compileTakeIn(aggregate)
    const settings = {
      sessions: "session" in aggregate.window,
      limit: aggregate.limit,
      windowsOf: windowsOf(aggregate.window)
    }
    return Effect.succeed({
      contribution: (open) => contribute(open, settings, takeIn),
      record: compileRecord(aggregate)
    })
  })

const compileTakeIn = ({ by, make }: Aggregate) => {
  const keys = Object.entries(by).map(([field, text]) => ({
    field,
    value: Result.getOrThrow(compileValue(text))
  }))
  const shares = Object.entries(make).map(([field, measure]) => compileMeasure(field, measure))
  return (payload: unknown, scope: Scope, arrival: number): TakenIn => {
    scope.record = payload
    const at = eventTimeOf(scope)
    const group = keys.map(({ field, value }) => {
      try {
        return value(scope)
      } catch (error) {
        throw new RecordFailure("expression_failed", `${field}: ${(error as Error).message}`)
      }
    })
    return { at, key: keyOf(group), made: shares.map((share) => share(scope, at, arrival)) }
  }
}

/** Only keys of objects have an order that must not matter. */
const keyOf = (group: ReadonlyArray<unknown>): string =>
  group.some((value) => typeof value === "object") ? canonical(group) : JSON.stringify(group)

/** Windows are made of whole milliseconds. */
const eventTimeOf = ({ event_time }: Scope): number => {
  if (event_time === null) {
    throw new RecordFailure("no_event_time", "a record without an event time belongs to no window")
  }
  if (!Number.isFinite(event_time))
    throw new RecordFailure("bad_event_time", `${event_time} is no event time`)
  return Math.floor(event_time)
}

const compileRecord = ({ by, make }: Aggregate): Aggregator["record"] => {
  const keys = Object.keys(by)
  const fields = Object.keys(make)
  return ({ end, key, made, start }) => {
    const group = JSON.parse(key) as ReadonlyArray<unknown>
    return Object.fromEntries([
      ...keys.map((field, index) => [field, group[index]]),
      ["window_start", new Date(start).toISOString()],
      ["window_end", new Date(end).toISOString()],
      ...fields.map((field, index) => [field, resultOf(made[index]!)])
    ])
  }
}

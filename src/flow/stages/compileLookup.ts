/**
 * A stage that enriches records from a table.
 *
 * @module
 */
import { Effect, type Scope as EffectScope } from "effect"
import type { Lookup } from "../../../events/Definition.ts"
import { Drivers } from "../../drivers/Drivers.ts"
import { makeEnd, type PlanContext } from "../openEnd.ts"
import type { PlanError } from "../PlanError.ts"
import { dropped, RecordFailure, type Step } from "../Route.ts"
import { atStage, type StageError } from "../StageError.ts"
import { asObject } from "./asObject.ts"
import type { StageWork } from "./compileWork.ts"

export const compileLookup = Effect.fnUntraced(function* (
  name: string,
  lookup: Lookup,
  context: PlanContext
): Effect.fn.Return<StageWork, PlanError | StageError, Drivers | EffectScope.Scope> {
  const { default: fallback, into, match, on_miss, take, ...use } = lookup
  const offer = (yield* Drivers).get(lookup.use)?.lookup
  const end = yield* makeEnd(offer, "lookup", name, use, context)
  const fields = Object.keys(match)
  const table = yield* end.open(Object.values(match)).pipe(atStage(name))
  const wanted = wantedColumns(take)
  const step: Step = (payload) => {
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
  return { step }
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

/**
 * A stage that enriches records from a table.
 *
 * A table may answer differently when a batch is tried again: it was changed, or what was remembered of
 * it was not. Nothing here keeps an answer for later attempts; an attempt is sealed with the outcome it came
 * to, and the attempt whose write took the key is the truth for its branch, letters and misses included.
 *
 * @module
 */
import { Effect, type Scope as EffectScope, Schema } from "effect"
import { type Lookup, LookupAsk, LookupCache, lookupUse } from "../../../events/Definition.ts"
import type { DriverError } from "../../drivers/DriverError.ts"
import { Drivers } from "../../drivers/Drivers.ts"
import type { LookupRow, LookupTable } from "../../drivers/Lookup.ts"
import { askTable, type Key } from "../lookup/askTable.ts"
import { enricher, lookupKey, wantedColumns } from "../lookup/enrich.ts"
import { makeEnd, type PlanContext } from "../openEnd.ts"
import type { PlanError } from "../PlanError.ts"
import { dropped, type Pieces, reasonOf } from "../route/Route.ts"
import { retriedAt } from "../run/Telling.ts"
import { atStage, type StageError } from "../StageError.ts"
import type { StageWork } from "./compileWork.ts"

/** Held tables that stay as they are make a plain step; whatever is asked or looked at again waits. */
export const compileLookup = Effect.fnUntraced(function* (
  name: string,
  lookup: Lookup,
  context: PlanContext
): Effect.fn.Return<StageWork, PlanError | StageError, Drivers | EffectScope.Scope> {
  const offer = (yield* Drivers).get(lookup.use)?.lookup
  const end = yield* makeEnd(offer, "lookup", name, lookupUse(lookup), context)
  const table = yield* end.open(Object.values(lookup.match)).pipe(atStage(name))
  const keyOf = lookupKey(Object.keys(lookup.match))
  const cut = wantedColumns(lookup.take)
  if ("find" in table) {
    const { rowsOf } = askTable({
      driver: lookup.use,
      table,
      cache: lookup.cache ?? cacheByDefault,
      ask: lookup.ask ?? askByDefault,
      cut,
      retried: retriedAt(name)
    })
    return {
      waiting: waitFor(
        name,
        keyOf,
        rowsOf,
        enricher(name, lookup, (row) => row)
      )
    }
  }
  const enrich = enricher(name, lookup, cut)
  const { refreshed } = table
  if (refreshed === undefined) return { step: (payload) => enrich(payload, rowIn(table, keyOf(payload))) }
  const rowsOf = (keys: ReadonlyArray<Key | undefined>) =>
    Effect.map(refreshed, (now) => keys.map((key) => rowIn(now, key)))
  return { waiting: waitFor(name, keyOf, rowsOf, enrich) }
})

const cacheByDefault = Schema.decodeSync(LookupCache)({})
const askByDefault = Schema.decodeSync(LookupAsk)({})

const rowIn = (table: LookupTable, key: Key | undefined): LookupRow | undefined =>
  key === undefined ? undefined : table.get(key)

type RowsOf = (
  keys: ReadonlyArray<Key | undefined>
) => Effect.Effect<ReadonlyArray<LookupRow | undefined>, DriverError>

const waitFor =
  (
    name: string,
    keyOf: ReturnType<typeof lookupKey>,
    rowsOf: RowsOf,
    enrich: ReturnType<typeof enricher>
  ): NonNullable<StageWork["waiting"]> =>
  (payloads) =>
    Effect.map(
      rowsOf(payloads.map(keyOf)),
      (rows): Pieces =>
        payloads.map((payload, at) => {
          try {
            const enriched = enrich(payload, rows[at])
            return enriched === dropped ? { _tag: "Dropped" } : { _tag: "Passed", payload: enriched }
          } catch (error) {
            return { _tag: "Failed", reason: reasonOf(error, "stage_failed") }
          }
        })
    ).pipe(atStage(name))

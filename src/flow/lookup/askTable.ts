/**
 * Rows for all keys of a batch from a table that is asked: each key once, many keys a call, and none that
 * is remembered or already on its way for another batch.
 *
 * @module
 */
import { Array as Arr, Clock, Deferred, Effect } from "effect"
import type { LookupAsk, LookupCache } from "../../../events/Definition.ts"
import { DriverError } from "../../drivers/DriverError.ts"
import { keyText, type LookupRow, type RemoteTable } from "../../drivers/Lookup.ts"
import { RowCache } from "./RowCache.ts"

export type Key = ReadonlyArray<unknown>

export interface Asking {
  readonly driver: string
  readonly table: RemoteTable
  readonly cache: LookupCache
  readonly ask: LookupAsk
  /** What is kept and handed out of a row. */
  readonly cut: (row: LookupRow) => LookupRow
  /** How a failed call is made again. */
  readonly retried: <A>(call: Effect.Effect<A, DriverError>) => Effect.Effect<A, DriverError>
}

export interface Asked {
  /** A row or `undefined` for each key, in their order; a key that is `undefined` is asked of nobody. */
  readonly rowsOf: (
    keys: ReadonlyArray<Key | undefined>
  ) => Effect.Effect<ReadonlyArray<LookupRow | undefined>, DriverError>
  readonly remembered: () => number
}

/** The keys of one call, by their text, and what they were answered with; without `rows` the call came to nothing. */
interface Call {
  readonly keys: ReadonlyMap<string, Key>
  readonly over: Deferred.Deferred<void>
  rows: ReadonlyMap<string, LookupRow | undefined> | undefined
}

/** Batches of several sources may ask at the same time. */
export const askTable = (asking: Asking): Asked => {
  const cache = new RowCache(asking.cache.size)
  const onTheirWay = new Map<string, Call>()

  const claim = (keys: ReadonlyArray<readonly [string, Key]>): Call => {
    const call: Call = { keys: new Map(keys), over: Deferred.makeUnsafe(), rows: undefined }
    for (const text of call.keys.keys()) onTheirWay.set(text, call)
    return call
  }
  const leave = (call: Call) =>
    Effect.sync(() => {
      for (const text of call.keys.keys()) if (onTheirWay.get(text) === call) onTheirWay.delete(text)
      Deferred.doneUnsafe(call.over, Effect.void)
    })
  const make = Effect.fnUntraced(function* (call: Call) {
    const found = yield* findOnce(asking, [...call.keys.values()]).pipe(asking.retried)
    const now = yield* Clock.currentTimeMillis
    const rows = new Map<string, LookupRow | undefined>()
    for (const [at, text] of [...call.keys.keys()].entries()) {
      const row = found[at] === undefined ? undefined : asking.cut(found[at])
      rows.set(text, row)
      cache.set(text, row, now + (row === undefined ? asking.cache.missTtl : asking.cache.ttl))
    }
    call.rows = rows
  })

  /** Asks for what nobody asks for yet, and waits for the rest; a call that was given up is made by who still waits. */
  const answer = Effect.fnUntraced(function* (
    open: ReadonlyMap<string, Key>,
    rows: Map<string, LookupRow | undefined>
  ) {
    const free = [...open].filter(([text]) => !onTheirWay.has(text))
    const others = new Set([...open.keys()].flatMap((text) => onTheirWay.get(text) ?? []))
    // Claimed before anything waits, so that no other batch asks for the same.
    const own = Arr.chunksOf(free, asking.ask.keys).map(claim)
    yield* Effect.forEach(own, (call) => Effect.ensuring(make(call), leave(call)), {
      concurrency: asking.ask.concurrency,
      discard: true
    }).pipe(Effect.ensuring(Effect.forEach(own, leave, { discard: true })))
    for (const { over } of others) yield* Deferred.await(over)
    for (const call of [...own, ...others]) {
      for (const [text, row] of call.rows ?? []) if (open.has(text)) rows.set(text, row)
    }
  })

  const rowsOf: Asked["rowsOf"] = Effect.fnUntraced(function* (keys) {
    const now = yield* Clock.currentTimeMillis
    const texts = keys.map((key) => (key === undefined ? undefined : keyText(key)))
    const rows = new Map<string, LookupRow | undefined>()
    let open = new Map<string, Key>()
    for (const [at, text] of texts.entries()) {
      if (text === undefined || rows.has(text) || open.has(text)) continue
      const known = cache.get(text, now)
      if (known === undefined) open.set(text, keys[at]!)
      else rows.set(text, known.row)
    }
    while (open.size > 0) {
      yield* answer(open, rows)
      open = new Map([...open].filter(([text]) => !rows.has(text)))
    }
    return texts.map((text) => (text === undefined ? undefined : rows.get(text)))
  })
  return { rowsOf, remembered: () => cache.entries }
}

/** A client-side deadline for every call: a connection that is half open never answers. */
const findOnce = Effect.fnUntraced(function* ({ ask, driver, table }: Asking, keys: ReadonlyArray<Key>) {
  const late = () => Effect.fail(timedOut(driver, ask.timeout))
  const found = yield* Effect.timeoutOrElse(table.find(keys), { duration: ask.timeout, orElse: late })
  if (found.length === keys.length) return found
  return yield* Effect.die(new Error(`${driver} answered ${found.length} of ${keys.length} keys`))
})

const timedOut = (driver: string, ms: number) =>
  new DriverError({
    driver,
    operation: "find",
    reason: { _tag: "Timeout", code: "lookup_timeout", message: `the table did not answer within ${ms} ms` }
  })

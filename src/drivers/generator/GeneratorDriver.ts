/**
 * Made-up records: the same for the same seed, from any place on.
 *
 * Record n is `{ n, at, key, value }`. `key` is one of k0 … k99 and `value` lies in 0 … 1, both by a
 * hash of seed and n, so that no state has to be carried to resume. `at` is an ISO time that starts at
 * 2024-01-01T00:00:00Z and advances by 1/rate seconds a record (a millisecond where there is no rate):
 * it is part of the record, not the time it was made at.
 *
 * @module
 */
import { createHash } from "node:crypto"
import { Clock, Effect, Schema } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import type { Driver, Offer } from "../Driver.ts"
import { DriverError } from "../DriverError.ts"
import type { SourceBatch, SourceRecord } from "../Record.ts"
import type { ReadLimit, Source } from "../Source.ts"

/**
 * `rate` in records a second, 0 for as fast as they are taken; `count` records in all, without it there
 * is no end.
 */
export const GeneratorConfig = Schema.Struct({
  rate: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(0))
  ),
  count: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  seed: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0)))
})
export type GeneratorConfig = typeof GeneratorConfig.Type

const generatorSource: Offer<GeneratorConfig, Source> = {
  config: GeneratorConfig,
  make: (config) => Effect.succeed({ open: (from) => openGenerator(config, from) })
}

export const generatorDriver: Driver = {
  name: "generator",
  class: "memory",
  guarantee: "at_least_once",
  source: generatorSource
}

/** A part-filled batch does not wait longer than this for the rest, in milliseconds. */
const patienceMs = 100

const openGenerator = Effect.fnUntraced(function* (config: GeneratorConfig, from: Position | null) {
  const first = from === null ? 0 : Number(from)
  if (!Number.isSafeInteger(first) || first < 0) return yield* changed(from)
  const openedAt = yield* Clock.currentTimeMillis
  const total = config.count ?? Number.POSITIVE_INFINITY
  let n = first

  /** When record n is due, by the clock: what was made before this opening is not waited for again. */
  const dueAt = (of: number) => openedAt + ((of - first) * 1000) / config.rate
  const next = Effect.fnUntraced(function* (limit: ReadLimit) {
    const most =
      limit.exactly === true ? limit.records : Math.min(limit.records, Math.ceil(limit.bytes / recordBytes))
    let end = Math.min(total, n + Math.max(1, most))
    if (end <= n) return null
    // A sealed range is made again at once; it was waited for when it was first read.
    if (config.rate > 0 && limit.exactly !== true) {
      const now = yield* Clock.currentTimeMillis
      const until = Math.max(dueAt(n), Math.min(dueAt(end - 1), now + patienceMs))
      if (until > now) yield* Effect.sleep(Math.ceil(until - now))
      const ready =
        Math.floor(((Math.max(until, now) - openedAt) * config.rate) / 1000 + rounding) + first + 1
      end = Math.max(n + 1, Math.min(end, ready))
    }
    const batch = batchOf(config, n, end)
    n = end
    return batch
  })

  return {
    next,
    ack: () => Effect.void,
    progress: () => ({ done: n, total: config.count ?? null, unit: "rows" as const })
  }
})

/** A due time is a quotient; a hair below a whole number still means that record. */
const rounding = 1e-6

/** Bytes a record takes in memory, roughly. */
const recordBytes = 100

const batchOf = (config: GeneratorConfig, from: number, to: number): SourceBatch => {
  const records: Array<SourceRecord> = []
  for (let n = from; n < to; n++) records.push(recordOf(config, n))
  return {
    records,
    to,
    // What is made depends on nothing else.
    digest: createHash("sha256").update(`${config.seed} ${config.rate} ${from} ${to}`).digest("hex"),
    bytes: records.length * recordBytes,
    raw: (index) => {
      const data = JSON.stringify(records[index]!.payload)
      return { encoding: "utf8", data, size: data.length }
    }
  }
}

const startMs = 1_704_067_200_000

const recordOf = ({ rate, seed }: GeneratorConfig, n: number): SourceRecord => {
  const key = `k${mix(seed, n, 1) % 100}`
  const eventTime = startMs + Math.floor(rate > 0 ? (n * 1000) / rate : n)
  const payload = { n, at: new Date(eventTime).toISOString(), key, value: mix(seed, n, 2) / 2 ** 32 }
  return { payload, key, eventTime, metadata: noMetadata }
}

const noMetadata: Readonly<Record<string, unknown>> = Object.freeze({})

/** 32 bits that depend on every bit of the three: the finalizer of MurmurHash3, applied in turn. */
const mix = (seed: number, n: number, salt: number): number => {
  let hash = finalize(seed ^ Math.imul(salt, 0x9e3779b1))
  hash = finalize(hash ^ (n >>> 0))
  return finalize(hash ^ Math.floor(n / 2 ** 32)) >>> 0
}

const finalize = (bits: number): number => {
  let hash = bits | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

const changed = (from: Position) =>
  new DriverError({
    driver: "generator",
    operation: "open",
    reason: {
      _tag: "Misconfigured",
      code: "source_changed",
      message: `${JSON.stringify(from)} is no position of a generator`,
      suggestion: "the source was probably of another kind; start a new run"
    }
  })

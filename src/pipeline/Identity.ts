/**
 * Ids over the engine's own clock and randomness, so that a test with both under control knows them all.
 *
 * @module
 */
import { Clock, Effect, Random } from "effect"

/** A UUID, version 7 (RFC 9562): ordered by the millisecond it was made in. */
export const nextId: Effect.Effect<string> = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  const a = yield* Random.nextIntBetween(0, 0xfff)
  const b = yield* Random.nextIntBetween(0, 0x3fffffff)
  const c = yield* Random.nextIntBetween(0, 0xffffffff)
  const time = hex(now, 12)
  const middle = hex(0x80000000 + b, 8)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(a, 3)}-${middle.slice(0, 4)}-${middle.slice(4)}${hex(c, 8)}`
})

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0").slice(-digits)

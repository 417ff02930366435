/**
 * Asking again for what was not settled, as long as it gets less.
 *
 * @module
 */
import { Effect } from "effect"
import { DriverError } from "../../drivers/DriverError.ts"

/** Rounds in a row that leave as much as they began with before it is given up. */
const stuckMost = 3
const firstPauseMs = 250
const longestPauseMs = 10_000

/**
 * Calls `ask` with what is open until it leaves nothing. A round may leave any part of what it was given, with
 * the reason for the first of it; three that leave all of it are `retry_not_converging`, which is fatal: more
 * of the same would go on for ever. Pauses grow while nothing moves.
 */
export const converge = Effect.fnUntraced(function* <Item>(
  items: ReadonlyArray<Item>,
  ask: (open: ReadonlyArray<Item>) => Effect.Effect<Left<Item>, DriverError>,
  tell: (round: number, reason: Left<Item>["reason"], pauseMs: number) => Effect.Effect<unknown>
): Effect.fn.Return<void, DriverError> {
  let open = items
  let stuck = 0
  for (let round = 1; open.length > 0; round++) {
    const { items: left, reason } = yield* ask(open)
    if (left.length === 0) return
    stuck = left.length < open.length ? 0 : stuck + 1
    if (stuck === stuckMost) return yield* notConverging(left.length, reason)
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** stuck)
    // What gets less is told once; each line of the log is about standing still.
    if (round === 1 || stuck > 0) yield* tell(round, reason, pauseMs)
    yield* Effect.sleep(pauseMs)
    open = left
  }
})

/** What a round could not settle, and why. */
export interface Left<Item> {
  readonly items: ReadonlyArray<Item>
  readonly reason: { readonly code: string; readonly message: string }
}

const notConverging = (count: number, { code, message }: Left<unknown>["reason"]) =>
  new DriverError({
    driver: "service",
    operation: "call",
    reason: {
      _tag: "Misconfigured",
      code: "retry_not_converging",
      message: `${count} records were to be tried again ${stuckMost} times in a row: ${code}, ${message}`,
      suggestion: "a record that can never be handled is answered with nack"
    }
  })

/**
 * A source that gives units of the sizes it is told to, each after a while; reading them again takes no time.
 *
 * @module
 */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import { DriverError } from "../../../src/drivers/DriverError.ts"
import type { SourceRecord } from "../../../src/drivers/Record.ts"
import type { Source } from "../../../src/drivers/Source.ts"

/** What the next call does: gives `records` after `afterMs`, fails then, or never answers. */
export interface Step {
  readonly records?: number
  readonly afterMs?: number
  readonly fails?: boolean
}

export interface Scripted extends Source {
  readonly acks: Array<Position>
  /** How many records it has handed out in calls that were not told how many to give. */
  handedOut: number
  opened: number
}

/** Steps are taken in turn by every reader; without any, it gives what is asked for at once. */
export const scripted = (
  records: ReadonlyArray<SourceRecord>,
  steps: ReadonlyArray<Step> = [{}]
): Scripted => {
  let calls = 0
  const source: Scripted = {
    acks: [],
    handedOut: 0,
    opened: 0,
    open: (from) =>
      Effect.sync(() => {
        source.opened++
        let at = Number(from ?? 0)
        return {
          next: Effect.fnUntraced(function* (limit) {
            const step = limit.exactly === true ? {} : steps[calls++ % steps.length]!
            // It answers late by the virtual clock.
            if (step.afterMs !== undefined) yield* Effect.sleep(step.afterMs)
            if (step.fails === true) return yield* failed
            const some = records.slice(
              at,
              at + Math.min(limit.records, step.records ?? Number.POSITIVE_INFINITY)
            )
            if (some.length === 0) return null
            at += some.length
            if (limit.exactly !== true) source.handedOut += some.length
            const texts = some.map(({ payload }) => JSON.stringify(payload))
            return {
              records: some,
              to: at,
              digest: createHash("sha256").update(texts.join("\n")).digest("hex"),
              bytes: 10 * some.length,
              raw: (index: number) => ({ encoding: "utf8" as const, data: texts[index]!, size: 1 })
            }
          }),
          ack: (position) => Effect.sync(() => void source.acks.push(position)),
          progress: () => ({ done: at, total: records.length, unit: "rows" as const })
        }
      })
  }
  return source
}

const failed = Effect.fail(
  new DriverError({
    driver: "scripted",
    operation: "next",
    reason: { _tag: "Unavailable", code: "away", message: "it is away" }
  })
)

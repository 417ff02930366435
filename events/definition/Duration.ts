/**
 * Spans of time, as a file has them and as the engine counts them.
 *
 * @module
 */
import { Schema, SchemaTransformation } from "effect"

/** `250ms`, `5s`, `10m`, `1h`, `7d`; milliseconds once decoded. */
export const DurationText = Schema.String.check(
  Schema.isPattern(/^[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d)$/u, {
    message: "a duration like 250ms, 5s, 10m, 1h or 7d"
  })
).annotate({ identifier: "Duration", description: "A duration like 250ms, 5s, 10m, 1h or 7d" })

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
type Unit = keyof typeof unitMs

const centuryMs = 100 * 366 * unitMs.d

/** Whole milliseconds, up to a century: fractions of a unit are rounded, so that encoding is exact. */
export const DurationMs = DurationText.pipe(
  Schema.decodeTo(
    Schema.Int.check(
      Schema.isBetween({ minimum: 0, maximum: centuryMs }, { message: "a duration of at most a century" })
    ),
    SchemaTransformation.transform({
      decode: (text) => {
        const unit = (/[a-z]+$/.exec(text)?.[0] ?? "ms") as Unit
        return Math.round(Number.parseFloat(text) * unitMs[unit])
      },
      encode: (ms) => {
        for (const unit of ["d", "h", "m", "s"] as const) {
          if (ms !== 0 && ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`
        }
        return `${ms}ms`
      }
    })
  )
)

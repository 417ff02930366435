/**
 * A cron expression, read: `minute hour day month weekday`, with `second` in front if there are six fields.
 *
 *     *  ?  5  1-5  1-59/2  5/15  MON-FRI  1,15  JAN  @daily
 *
 * Sunday is 0 or 7; names are English, in any case. `5/15` is every fifteenth from five on. As everywhere,
 * a day is meant by either day field when both are restricted, and by both when one begins with a star.
 *
 * @module
 */
import { Result } from "effect"
import { nearest } from "../../events/nearest.ts"
import { type CronField, type CronMistake, type FieldName, readField } from "./cronField.ts"
import { happensOn } from "./wallClock.ts"

export type { CronMistake } from "./cronField.ts"

export interface Cron {
  readonly second: CronField
  readonly minute: CronField
  readonly hour: CronField
  readonly day: CronField
  readonly month: CronField
  readonly weekday: CronField
}

const nicknames: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *"
}

const order: ReadonlyArray<FieldName> = ["second", "minute", "hour", "day", "month", "weekday"]

/** Reads an expression; fails with everything that is wrong with it, field by field. */
export const parseCron = (text: string): Result.Result<Cron, ReadonlyArray<CronMistake>> => {
  const trimmed = text.trim()
  if (trimmed.startsWith("@")) return parseNickname(trimmed)
  const written = trimmed === "" ? [] : trimmed.split(/\s+/)
  if (written.length !== 5 && written.length !== 6) {
    const message = `it has ${written.length} field${written.length === 1 ? "" : "s"}, and takes five, or six with seconds`
    return Result.fail([{ field: null, message, suggestion: example }])
  }
  const texts = written.length === 5 ? ["0", ...written] : written
  const mistakes: Array<CronMistake> = []
  const fields: Record<string, CronField> = {}
  for (const [index, name] of order.entries()) {
    const read = readField(name, texts[index]!)
    if (Result.isFailure(read)) mistakes.push(read.failure)
    else fields[name] = read.success
  }
  if (mistakes.length > 0) return Result.fail(mistakes)
  const cron = fields as unknown as Cron
  if (happensOn(cron)) return Result.succeed(cron)
  const message = "no month it names has such a day: it would never run"
  return Result.fail([{ field: "day", message, suggestion: "the 28th is in every month" }])
}

const example = '"0 6 * * *" is every day at six'

const parseNickname = (text: string): Result.Result<Cron, ReadonlyArray<CronMistake>> => {
  const name = text.toLowerCase()
  if (Object.hasOwn(nicknames, name)) return parseCron(nicknames[name]!)
  const known = Object.keys(nicknames)
  const suggestion = nearest(name, known) ?? `one of ${known.join(", ")}`
  return Result.fail([{ field: null, message: `${text} is not known`, suggestion }])
}

/**
 * A source whose records say when they happened.
 *
 * @module
 */
import { Effect, Result } from "effect"
import type { EventTime } from "../../../events/Definition.ts"
import { finding } from "../../../events/Finding.ts"
import type { Reason } from "../../../events/PipelineEvent.ts"
import type { SourceBatch, SourceRecord } from "../../drivers/Record.ts"
import type { Source, SourceReader } from "../../drivers/Source.ts"
import { isForbiddenKey } from "../expression/celEnvironment.ts"
import { broken, type PlanError } from "../PlanError.ts"
import { compileTime } from "./compileTime.ts"

/**
 * The same records at the same positions, each with the `eventTime` that its field says. A record without
 * a time in that format has a `failure` with the code `bad_event_time` instead: invariant 8.
 */
export const timedSource = (
  stage: string,
  source: Source,
  { field, format }: EventTime
): Effect.Effect<Source, PlanError> => {
  const time = compileTime(format)
  const path = field.split(".")
  const at = ["stages", stage, "event_time"]
  if (Result.isFailure(time)) {
    return Effect.fail(broken(finding("bad_time_format", [...at, "format"], time.failure)))
  }
  if (path.some(isForbiddenKey)) {
    return Effect.fail(broken(finding("forbidden_key", [...at, "field"], `${field} is refused as a field`)))
  }
  const timed = (record: SourceRecord): SourceRecord => {
    if (record.failure !== undefined) return record
    const value = valueAt(record.payload, path)
    const eventTime = time.success(value)
    return eventTime === undefined
      ? { ...record, failure: noTime(field, value, format) }
      : { ...record, eventTime }
  }
  const { parse } = source
  return Effect.succeed({
    open: (from) => Effect.map(source.open(from), (reader) => timedReader(reader, timed)),
    ...(parse === undefined
      ? {}
      : {
          parse: (kept) =>
            Effect.map(parse.call(source, kept), (record) =>
              record === undefined ? undefined : timed(record)
            )
        })
  })
}

const timedReader = (reader: SourceReader, timed: (record: SourceRecord) => SourceRecord): SourceReader => ({
  next: (limit) =>
    Effect.map(reader.next(limit), (batch) => (batch === null ? null : timedBatch(batch, timed))),
  ack: (position) => reader.ack(position),
  progress: () => reader.progress()
})

const timedBatch = (batch: SourceBatch, timed: (record: SourceRecord) => SourceRecord): SourceBatch => ({
  records: batch.records.map(timed),
  to: batch.to,
  digest: batch.digest,
  bytes: batch.bytes,
  raw: (index) => batch.raw(index)
})

/** Own fields alone: what an object inherits is no part of a record. */
const valueAt = (payload: unknown, path: ReadonlyArray<string>): unknown => {
  let value = payload
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return value
}

/** A reason is read by people: of a long value its beginning is enough. */
const shownCharacters = 80

const noTime = (field: string, value: unknown, format: string): Reason => {
  if (value === undefined) return { code: "bad_event_time", message: `there is no field ${field}` }
  const text = JSON.stringify(value) ?? String(value)
  if (typeof value === "number" && !format.startsWith("unix_")) {
    const message = `${field} is the number ${text}, and ${format} reads texts`
    return { code: "bad_event_time", message }
  }
  const shown = text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text
  return { code: "bad_event_time", message: `${field} is ${shown}, which is no time as ${format} has it` }
}

/**
 * Yesterday's shapes into today's, at the edge of the log: nothing behind this file knows that an
 * event was ever written differently.
 *
 * @module
 */
import { Result, Schema } from "effect"
import { CatalogEvent } from "./CatalogEvent.ts"
import { PipelineEvent } from "./PipelineEvent.ts"
import type { StoredEvent } from "./StoredEvent.ts"

/** What is written today. An older row carries the version it was written with. */
export const schemaVersion = 1

/** A row of the log that this program cannot read. It stops the pipeline: skipping it would be a lie. */
export class UndecodableEvent extends Schema.TaggedError<UndecodableEvent>()("UndecodableEvent", {
  stream: Schema.String,
  version: Schema.Int,
  type: Schema.String,
  message: Schema.String
}) {}

const pipelineEvent = Schema.decodeUnknownResult(PipelineEvent)
const catalogEvent = Schema.decodeUnknownResult(CatalogEvent)

/** The event of one pipeline's stream that this row holds. */
export const decodePipelineEvent = (row: StoredEvent): Result.Result<PipelineEvent, UndecodableEvent> =>
  decode(row, PipelineEvent.cases, pipelineEvent)

/** The event of the catalog that this row holds. */
export const decodeCatalogEvent = (row: StoredEvent): Result.Result<CatalogEvent, UndecodableEvent> =>
  decode(row, CatalogEvent.cases, catalogEvent)

const decode = <A>(
  row: StoredEvent,
  cases: object,
  read: (value: unknown) => Result.Result<A, { readonly message: string }>
): Result.Result<A, UndecodableEvent> => {
  if (row.schemaVersion > schemaVersion) {
    return Result.fail(
      undecodable(
        row,
        `it was written by a newer release (shape ${row.schemaVersion}, known up to ${schemaVersion})`
      )
    )
  }
  if (!Object.hasOwn(cases, row.type)) return Result.fail(undecodable(row, "there is no event of this type"))
  let value: unknown
  try {
    value = JSON.parse(row.payload)
  } catch (error) {
    return Result.fail(undecodable(row, `its payload is not JSON: ${String(error)}`))
  }
  if ((value as { readonly _tag?: unknown } | null)?._tag !== row.type) {
    return Result.fail(undecodable(row, "its payload is of another type than its row"))
  }
  return Result.mapError(read(value), (error) => undecodable(row, error.message))
}

const undecodable = (row: StoredEvent, why: string): UndecodableEvent =>
  new UndecodableEvent({
    stream: row.stream,
    version: row.version,
    type: row.type,
    message: `event ${row.version} (${row.type}) of ${row.stream} cannot be read: ${why}`
  })

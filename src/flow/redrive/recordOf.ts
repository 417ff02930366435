/**
 * The record of a dead letter, as its source gives it today.
 *
 * @module
 */
import { Effect, type Scope } from "effect"
import { DriverError } from "../../drivers/DriverError.ts"
import type { SourceRecord } from "../../drivers/Record.ts"
import type { Source } from "../../drivers/Source.ts"
import type { KeptLetter } from "./KeptLetter.ts"

/**
 * Parsed from the bytes of the letter, where the source can tell it from them alone. Else its batch is read again
 * from where it was read, which must give the same records as then.
 */
export const recordOf = Effect.fnUntraced(function* (
  source: Source,
  kept: KeptLetter
): Effect.fn.Return<SourceRecord, DriverError, Scope.Scope> {
  const { batch, edited, letter } = kept
  if (source.parse !== undefined && (letter.raw.encoding !== "omitted" || edited !== undefined)) {
    const record = yield* source.parse({ raw: letter.raw, from: batch.range.from, edited })
    if (record !== undefined) return record
  }
  const record = yield* readAgain(source, kept)
  if (edited === undefined) return record
  const { failure: _, ...rest } = record
  return { ...rest, payload: edited.payload }
})

/** What a stage made, and no source read. */
export const recordBehind = ({ edited, letter }: KeptLetter): SourceRecord => {
  if (edited !== undefined) return { payload: edited.payload, metadata: {} }
  if (letter.raw.encoding === "utf8") return { payload: JSON.parse(letter.raw.data), metadata: {} }
  const message = `what ${letter.source} made was too large to be kept in the log: redrive it with an edited payload`
  return { payload: null, metadata: {}, failure: { code: "record_not_kept", message } }
}

const readAgain = Effect.fnUntraced(function* (
  source: Source,
  { batch, letter }: KeptLetter
): Effect.fn.Return<SourceRecord, DriverError, Scope.Scope> {
  const { count, digest, offset, range } = batch
  const read = yield* Effect.scoped(
    Effect.flatMap(source.open(range.from), (reader) =>
      reader.next({ records: count, bytes: Number.POSITIVE_INFINITY, exactly: true, along: range.to })
    )
  )
  const record = read?.records[letter.offset - offset]
  if (read !== null && read.digest === digest && record !== undefined) return record
  return yield* new DriverError({
    driver: letter.source,
    operation: "read",
    reason: {
      _tag: "Misconfigured",
      code: "source_changed",
      message: `the batch of ${letter.id} (${count} records from offset ${offset}) no longer reads the same`,
      suggestion: "restore the source as it was, or redrive the letter with an edited payload"
    }
  })
})

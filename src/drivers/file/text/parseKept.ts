/**
 * A record out of the bytes its dead letter kept, as the reader of its format would give it.
 *
 * @module
 */
import type { Raw, Reason } from "../../../../events/PipelineEvent.ts"
import type { SourceRecord } from "../../Record.ts"
import type { KeptRecord } from "../../Source.ts"
import { parseExactly, UnsafeInteger } from "../json/exactIntegers.ts"
import type { FileMetadata } from "./FileReader.ts"
import type { RecordFormat } from "./LineRun.ts"
import { Taken } from "./Taken.ts"
import { decode, windowOf } from "./TextWindow.ts"

/** One line or row; what is more than one, or none, was not read like that, and is a failure. */
export const parseLineKept = (
  { edited, raw }: KeptRecord,
  format: RecordFormat,
  metadata: FileMetadata
): SourceRecord => {
  if (edited !== undefined) return { payload: edited.payload, metadata }
  const taken = new Taken(metadata)
  const window = windowOf(bytesOf(raw))
  taken.begin(window)
  const limit = { records: 2, characters: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY }
  const { stopped } = format.take(window, 0, limit, taken)
  const [record] = taken.records
  if (record !== undefined && taken.records.length === 1 && stopped === "end") return record
  return failed(metadata, { code: "not_one_record", message: "the bytes of the letter are not one record" })
}

/** One JSON text, whatever line breaks are in it. */
export const parseJsonKept = ({ edited, raw }: KeptRecord, metadata: FileMetadata): SourceRecord => {
  if (edited !== undefined) return { payload: edited.payload, metadata }
  const window = windowOf(bytesOf(raw))
  const text = decode(window, 0, window.text.length)
  if (text === undefined) {
    return failed(metadata, { code: "not_utf8", message: "the record is not valid UTF-8" })
  }
  try {
    return { payload: parseExactly(text), metadata }
  } catch (error) {
    if (error instanceof UnsafeInteger) {
      return failed(metadata, { code: "unsafe_integer", message: error.message })
    }
    const message = `the record is not JSON: ${error instanceof Error ? error.message : String(error)}`
    return failed(metadata, { code: "malformed_json", message })
  }
}

const bytesOf = ({ data, encoding }: Raw): Buffer =>
  Buffer.from(data, encoding === "base64" ? "base64" : "utf8")

const failed = (metadata: FileMetadata, failure: Reason): SourceRecord => ({
  payload: null,
  metadata,
  failure
})

/**
 * Looks at every record of a body with the eyes of the source that will read it: what would be a dead letter
 * there is told to the sender, who can mend it, and nothing of the body is taken.
 *
 * @module
 */
import { crc32 } from "node:zlib"
import { DriverError } from "../../DriverError.ts"
import { readCsvHeader } from "../../file/csv/openCsv.ts"
import { ArrayRun } from "../../file/json/ArrayRun.ts"
import { requireArray } from "../../file/json/notAnArray.ts"
import { LineRun } from "../../file/text/LineRun.ts"
import { Taken } from "../../file/text/Taken.ts"
import { chunkBytes } from "../../file/text/TextFile.ts"
import type { BatchRun, Place } from "../../file/text/TextReader.ts"
import type { ReadLimit } from "../../Source.ts"
import { type RecordSettings, recordFormat } from "../HttpSourceConfig.ts"
import { refuse } from "../IngressError.ts"
import type { Payload } from "../spool/SpoolWriter.ts"
import type { Body, Incoming } from "./Body.ts"
import { lineOf } from "./lineOf.ts"
import { unwrapArray } from "./unwrapArray.ts"

/** How the records stand in the body: as elements of one array; behind a row with the names of the columns. */
export interface Framing {
  readonly array: boolean
  readonly header: boolean
}

export interface Checked {
  readonly payload: Omit<Payload, "key">
  readonly close: () => Promise<void>
}

/** The records of the body as they will be kept, or an IngressError. Closing it leaves the body open. */
export const checkBody = async (
  body: Body,
  settings: RecordSettings,
  framing: Framing,
  incoming: Incoming
): Promise<Checked> => {
  if (framing.array) return checkArray(body, settings, incoming)
  const from =
    settings.format === "csv" ? await behindHeader(body, settings, framing.header) : await behindMark(body)
  const format = recordFormat(settings)
  const begin: Begin = (place, limit) =>
    new LineRun(body, format, settings.maxRecordBytes, new Taken(nothing), place, limit)
  const records = await countRecords(body, begin, from)
  return { payload: await payloadOf(body, from, records, settings), close: async () => {} }
}

type Begin = (place: Place, limit: ReadLimit) => BatchRun

const nothing = Object.freeze({})

const checkArray = async (body: Body, settings: RecordSettings, incoming: Incoming): Promise<Checked> => {
  try {
    await requireArray(body)
  } catch (cause) {
    throw malformed(cause, 1)
  }
  const begin: Begin = (place, limit) =>
    new ArrayRun(body, settings.maxRecordBytes, new Taken(nothing), place, limit)
  const records = await countRecords(body, begin, 0)
  const lines = await unwrapArray(body, incoming)
  try {
    return { payload: await payloadOf(lines, 0, records, settings), close: () => lines.close() }
  } catch (cause) {
    await lines.close()
    throw cause
  }
}

/** Records looked at together. */
const batch: ReadLimit = { records: 10_000, bytes: chunkBytes }

/** Refuses the first record that is none. */
const countRecords = async (body: Body, begin: Begin, from: number): Promise<number> => {
  let place: Place = { byte: from, row: 0, window: undefined, at: 0 }
  while (true) {
    const run = begin(place, batch)
    await run.read()
    const { records } = run.taken
    if (records.length === 0) return place.row
    const index = records.findIndex(({ failure }) => failure !== undefined)
    if (index >= 0) {
      const { code, message } = records[index]!.failure!
      const start = { byte: place.byte, row: 0, window: undefined, at: 0 }
      const before = begin(start, { records: index, bytes: 0, exactly: true })
      if (index > 0) await before.read()
      const line = await lineOf(body, index === 0 ? place.byte : before.settled.byte)
      throw refuse({ _tag: "Malformed", code, line, message: `line ${line}: ${message}` })
    }
    place = { ...run.settled, row: place.row + records.length }
  }
}

/** Its last line ends like every other: the next request's records begin behind it. */
const payloadOf = async (
  body: Body,
  from: number,
  records: number,
  settings: RecordSettings
): Promise<Omit<Payload, "key">> => {
  async function* chunks() {
    let last = lineFeed
    for await (const chunk of body.chunks(from)) {
      last = chunk.at(-1) ?? last
      yield chunk
    }
    if (last !== lineFeed) yield Buffer.from([lineFeed])
  }
  let bytes = 0
  let crc = 0
  for await (const chunk of chunks()) {
    bytes += chunk.length
    crc = crc32(chunk, crc)
  }
  return { settings, bytes, records, crc, chunks }
}

const lineFeed = 10

const behindMark = async (body: Body): Promise<number> =>
  (await body.read(0, 3)).equals(byteOrderMark) ? byteOrderMark.length : 0

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** The header has to name the columns of the source, in their order. */
const behindHeader = async (body: Body, { columns, delimiter }: RecordSettings, hasHeader: boolean) => {
  if (!hasHeader || body.end === 0) return behindMark(body)
  try {
    const header = await readCsvHeader(body, { header: true }, delimiter)
    if (header.columns.join("\n") === columns.join("\n")) return header.bytes
    const message = `line 1: the header names ${header.columns.join(", ")}; the source's columns are ${columns.join(", ")}`
    const suggestion = "name them in this order; or header: false in the source, and send rows alone"
    throw refuse({ _tag: "Malformed", code: "wrong_header", line: 1, message, suggestion })
  } catch (cause) {
    throw malformed(cause, 1)
  }
}

/** What a room of the file driver says of a text that cannot be read at all. */
const malformed = (cause: unknown, line: number): unknown => {
  if (!(cause instanceof DriverError)) return cause
  const { code, message, suggestion } = cause.reason
  const told = suggestion === undefined ? {} : { suggestion }
  return refuse({ _tag: "Malformed", code, line, message, ...told })
}

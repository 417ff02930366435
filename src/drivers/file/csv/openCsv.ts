/**
 * Settles the columns of a CSV file before its rows are read.
 *
 * The header is read from the file's start whatever position the reading resumes at.
 *
 * @module
 */
import { isUtf8 } from "node:buffer"
import { Effect } from "effect"
import { nearest } from "../../../../events/nearest.ts"
import type { DriverError } from "../../DriverError.ts"
import type { FileSourceConfig } from "../FileSourceConfig.ts"
import { fileError, misconfigured } from "../fileError.ts"
import { delimiterOf } from "../formats.ts"
import type { OpenedText } from "../text/openText.ts"
import type { TextFile } from "../text/TextFile.ts"
import { CsvFormat } from "./CsvFormat.ts"
import { convertOf } from "./convertField.ts"
import { maxHeaderBytes } from "./csvHeader.ts"
import { readRow } from "./readRow.ts"

/** The columns, and how much of the file's start is not data. */
export interface CsvHeader {
  readonly columns: ReadonlyArray<string>
  readonly characters: number
  readonly bytes: number
}

type Settings = Pick<FileSourceConfig, "delimiter" | "header" | "columns" | "types">

export const openCsv = (settings: Settings, { file }: OpenedText): Effect.Effect<CsvFormat, DriverError> =>
  Effect.tryPromise({
    try: async () => {
      const delimiter = settings.delimiter ?? delimiterOf(file.path)
      const header = await readCsvHeader(file, settings, delimiter)
      refuseColumns(file.path, header.columns)
      refuseTypes(file, header.columns, settings.types ?? {})
      const converts = header.columns.map((column) =>
        Object.hasOwn(settings.types ?? {}, column) ? convertOf(settings.types?.[column]) : undefined
      )
      return new CsvFormat(header, converts, delimiter)
    },
    catch: (cause) => fileError("open", file.path, "read", cause)
  })

/** What the text begins with: its header, or without one its byte order mark at most. */
export const readCsvHeader = async (
  file: TextFile,
  { columns, header }: Pick<Settings, "header" | "columns">,
  delimiter: string
): Promise<CsvHeader> => {
  const text = await startOf(file)
  return header === false ? headless(text, columns ?? []) : headerOf(file.path, text, delimiter)
}

interface Start {
  readonly text: string
  readonly mark: number
  readonly whole: boolean
}

/** The start of the file up to its bound, without a half character or a half line at the end. */
const startOf = async (file: TextFile): Promise<Start> => {
  const bytes = await file.read(0, maxHeaderBytes)
  const whole = bytes.length === file.end
  const text = bytes.subarray(0, whole ? bytes.length : bytes.lastIndexOf(10) + 1).toString("latin1")
  return { text, mark: text.startsWith("\u00ef\u00bb\u00bf") ? 3 : 0, whole }
}

const headless = ({ mark }: Start, columns: ReadonlyArray<string>): CsvHeader => ({
  columns,
  characters: mark === 0 ? 0 : 1,
  bytes: mark
})

/** The first row that is not empty. The text is latin1, so its characters are the file's bytes. */
const headerOf = (path: string, { mark, text, whole }: Start, delimiter: string): CsvHeader => {
  let at = mark
  while (text[at] === "\n" || text[at] === "\r") at++
  if (at === text.length && whole) return { columns: [], characters: at, bytes: at }
  const row = at < text.length ? readRow(text, at, delimiter, whole) : undefined
  const bytes = Buffer.from(text.slice(0, row === undefined || row._tag === "Open" ? 0 : row.next), "latin1")
  if (row?._tag !== "Row" || !isUtf8(bytes)) {
    throw misconfigured(
      "open",
      "malformed_csv",
      `${path} does not begin with a header that can be read`,
      "check the format and the delimiter; a file without a header needs header: false and columns"
    )
  }
  const columns = row.fields.map((field) => Buffer.from(field, "latin1").toString("utf8"))
  return { columns, characters: bytes.toString("utf8").length, bytes: bytes.length }
}

const refuseColumns = (path: string, columns: ReadonlyArray<string>): void => {
  const twice = columns.find((column, index) => columns.indexOf(column) !== index)
  if (twice !== undefined) {
    throw misconfigured(
      "open",
      "duplicate_column",
      `${path} has two columns named ${JSON.stringify(twice)}`,
      "rename one in the file, or set header: false and name the columns"
    )
  }
  if (columns.includes("__proto__")) {
    throw misconfigured("open", "reserved_column", `${path} has a column named __proto__`, "rename it")
  }
}

const refuseTypes = (file: TextFile, columns: ReadonlyArray<string>, types: object): void => {
  const unknown = Object.keys(types).find((name) => !columns.includes(name))
  // An empty file has no columns to compare with, and no rows to convert.
  if (unknown === undefined || file.end === 0) return
  const close = nearest(unknown, columns)
  throw misconfigured(
    "open",
    "unknown_column",
    `${file.path} has no column ${unknown}`,
    close === undefined ? `its columns are ${columns.join(", ")}` : `did you mean ${close}?`
  )
}

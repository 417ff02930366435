/**
 * Records as rows of a CSV file (RFC 4180, rows end in a newline).
 *
 * The columns are those of the settings, else those of the output being continued, else the fields of
 * the run's first record in their order. A record with another field is refused, never cut.
 *
 * @module
 */
import { encodeJson } from "./encodeJson.ts"

export class CsvEncoder {
  private readonly delimiter: string
  private readonly special: RegExp
  private settled: ReadonlyArray<string> | undefined

  constructor(delimiter: string, columns: ReadonlyArray<string> | undefined) {
    this.delimiter = delimiter
    this.special = new RegExp(`["\\r\\n${delimiter.replace(/[\\\]^-]/g, "\\$&")}]`)
    this.settled = columns
  }

  /** `undefined` until they are settled. */
  get columns(): ReadonlyArray<string> | undefined {
    return this.settled
  }

  set columns(columns: ReadonlyArray<string> | undefined) {
    this.settled = columns
  }

  /** The first line of the file. */
  get header(): string {
    return this.line((this.settled ?? []).map((column) => this.quote(column)))
  }

  /** One row. Throws an Error with the reason when the record does not fit. */
  encode(payload: unknown): string {
    if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
      throw new Error("a row is made of an object, and the record is none")
    }
    const record = payload as Readonly<Record<string, unknown>>
    const columns = this.settled ?? Object.keys(record)
    if (columns.length === 0) throw new Error("an empty record cannot name the columns")
    let known = 0
    const fields: Array<string> = []
    for (const column of columns) {
      const present = Object.hasOwn(record, column)
      if (present) known++
      fields.push(present ? this.quote(textOf(record[column], column)) : "")
    }
    const keys = Object.keys(record)
    if (known !== keys.length) {
      throw new Error(`unexpected field ${keys.find((key) => !columns.includes(key))}`)
    }
    this.settled = columns
    return this.line(fields)
  }

  private line(fields: ReadonlyArray<string>): string {
    // A lone empty field would be a blank line, which readers pass over.
    if (fields.length === 1 && fields[0] === "") return '""\n'
    return `${fields.join(this.delimiter)}\n`
  }

  private quote(text: string): string {
    return this.special.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
}

const textOf = (value: unknown, column: string): string => {
  switch (typeof value) {
    case "string":
      return value
    case "boolean":
      return String(value)
    case "number":
      if (Number.isFinite(value)) return String(value)
      throw new Error(`field ${column} is ${value}, which is no number to write`)
    case "object":
      return value === null ? "" : encodeJson(value)
    default:
      throw new Error(`field ${column} is a ${typeof value}, which a row cannot hold`)
  }
}

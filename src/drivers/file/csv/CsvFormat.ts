/**
 * Rows of a CSV file as records.
 *
 * Every field is a string unless its type says otherwise. Empty lines hold no record. A row that does
 * not fit is a failure of its own; reading goes on behind it.
 *
 * @module
 */
import type { Reason } from "../../../../events/PipelineEvent.ts"
import { isLarge } from "../json/NdjsonFormat.ts"
import type { RecordFormat, TakeLimit, TakeResult } from "../text/LineRun.ts"
import type { Taken } from "../text/Taken.ts"
import { decode, type TextWindow } from "../text/TextWindow.ts"
import type { CsvHeader } from "./openCsv.ts"
import { readRow } from "./readRow.ts"

/** The value of a field's text; throws an Error when it does not fit. */
export type Convert = (text: string) => unknown

export class CsvFormat implements RecordFormat {
  private readonly header: CsvHeader
  private readonly columns: ReadonlyArray<string>
  private readonly converts: ReadonlyArray<Convert | undefined>
  private readonly typed: boolean
  private readonly delimiter: string

  constructor(header: CsvHeader, converts: ReadonlyArray<Convert | undefined>, delimiter: string) {
    this.header = header
    this.columns = header.columns
    this.converts = converts
    this.typed = converts.some((convert) => convert !== undefined)
    this.delimiter = delimiter
  }

  take(window: TextWindow, at: number, limit: TakeLimit, into: Taken): TakeResult {
    const { text } = window
    const size = text.length
    const stopAt = at + limit.characters
    let left = limit.records
    let behind = at
    let quote = -1
    for (let start = this.firstRow(window, at); start < size; ) {
      const newline = text.indexOf("\n", start)
      let end = newline < 0 ? size : newline
      let next = newline < 0 ? size : newline + 1
      if (end > start && text.charCodeAt(end - 1) === 13) end--
      if (end === start) {
        start = next
        continue
      }
      if (left < limit.records && end > stopAt) return { at: behind, stopped: "full" }
      if (quote < start) {
        quote = text.indexOf('"', start)
        if (quote < 0) quote = size
      }
      if (quote >= end && window.valid) {
        if (isLarge(window, start, end, limit.most)) return { at: start, stopped: "too_large" }
        this.addPlain(text, start, end, into)
      } else {
        const row = readRow(text, start, this.delimiter, window.last)
        if (row._tag === "Open") return { at: start, stopped: "open" }
        end = row.end
        next = row.next
        if (isLarge(window, start, end, limit.most)) return { at: start, stopped: "too_large" }
        if (row._tag === "Malformed") into.fail({ code: "malformed_csv", message: row.message }, start, end)
        else if (window.valid) this.addFields(row.fields, start, end, into)
        else this.addDecoded(window, start, end, into)
      }
      behind = next
      if (--left === 0) return { at: behind, stopped: "full" }
      start = next
    }
    return { at: behind, stopped: "end" }
  }

  /** The header is passed over where the window is the file's first. */
  private firstRow(window: TextWindow, at: number): number {
    if (window.start !== 0) return at
    return Math.max(at, window.valid ? this.header.characters : this.header.bytes)
  }

  /** A row without quotes, which most are. */
  private addPlain(text: string, start: number, end: number, into: Taken): void {
    if (this.typed) {
      this.addFields(text.slice(start, end).split(this.delimiter), start, end, into)
      return
    }
    const { columns, delimiter } = this
    const last = columns.length - 1
    const payload: Record<string, string> = {}
    let from = start
    for (let index = 0; index < last; index++) {
      const to = text.indexOf(delimiter, from)
      if (to < 0 || to >= end) {
        this.failCount(index + 1, start, end, into)
        return
      }
      payload[columns[index]!] = text.slice(from, to)
      from = to + 1
    }
    const rest = text.slice(from, end)
    if (rest.includes(delimiter)) {
      this.failCount(last + rest.split(delimiter).length, start, end, into)
      return
    }
    payload[columns[last]!] = rest
    into.add(payload, start, end)
  }

  private addFields(fields: ReadonlyArray<string>, start: number, end: number, into: Taken): void {
    if (fields.length !== this.columns.length) {
      this.failCount(fields.length, start, end, into)
      return
    }
    const payload: Record<string, unknown> = {}
    for (let index = 0; index < fields.length; index++) {
      const convert = this.converts[index]
      const column = this.columns[index]!
      try {
        payload[column] = convert === undefined ? fields[index]! : convert(fields[index]!)
      } catch (error) {
        into.fail(wrongType(column, error), start, end)
        return
      }
    }
    into.add(payload, start, end)
  }

  /** A row out of a window that is not all UTF-8: its own bytes may still be. */
  private addDecoded(window: TextWindow, start: number, end: number, into: Taken): void {
    const text = decode(window, start, end)
    const row = text === undefined ? undefined : readRow(text, 0, this.delimiter, true)
    if (row?._tag === "Row") {
      this.addFields(row.fields, start, end, into)
      return
    }
    into.fail({ code: "not_utf8", message: "the row is not valid UTF-8" }, start, end)
  }

  private failCount(found: number, start: number, end: number, into: Taken): void {
    const message = `the row has ${found} fields, the header ${this.columns.length}`
    into.fail({ code: "malformed_csv", message }, start, end)
  }
}

const wrongType = (column: string, error: unknown): Reason => ({
  code: "wrong_type",
  message: `field ${column} ${error instanceof Error ? error.message : String(error)}`
})

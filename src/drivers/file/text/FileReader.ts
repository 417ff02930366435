/**
 * The reader of one opened file, whatever its format.
 *
 * @module
 */
import type { SourceBatch } from "../../Record.ts"
import type { ReadLimit, SourceReader } from "../../Source.ts"

export type Progress = ReturnType<SourceReader["progress"]>

/** Rejects with a DriverError or with what the file system threw. */
export interface FileReader {
  /** As `SourceReader.next`. */
  next(limit: ReadLimit): Promise<SourceBatch | null>
  /** No record follows. Reads no further than the next record, and takes nothing. */
  atEnd(): Promise<boolean>
  readonly progress: Progress
  /** Where the file may grow: looks at what has come since; `false` when nothing has. */
  grow?(): Promise<boolean>
}

/** What the records of a file know of where they come from: one object serves them all. */
export type FileMetadata = Readonly<Record<string, unknown>>

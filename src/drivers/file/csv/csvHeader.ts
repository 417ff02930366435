/**
 * The header of a CSV file that is already there.
 *
 * @module
 */
import type { FileHandle } from "node:fs/promises"
import { misconfigured } from "../fileError.ts"
import type { OutputFile } from "../sink/OutputFile.ts"
import { readRow } from "./readRow.ts"

/** Bytes a header may have. */
export const maxHeaderBytes = 1024 * 1024

/** The columns of an output that is being continued. */
export const readHeader = async (
  handle: FileHandle,
  output: OutputFile,
  delimiter: string
): Promise<ReadonlyArray<string>> => {
  const buffer = Buffer.alloc(Math.min(maxHeaderBytes, output.length))
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
  const row = readRow(buffer.toString("utf8", 0, bytesRead), 0, delimiter, bytesRead === output.length)
  if (row._tag === "Row") return row.fields
  throw misconfigured(
    "open",
    "malformed_csv",
    `${output.path} does not begin with a header that can be read`,
    "write to another file"
  )
}

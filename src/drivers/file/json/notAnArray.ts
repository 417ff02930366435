/**
 * A JSON file that does not begin as an array: nothing in it can be a record.
 *
 * @module
 */
import type { DriverError } from "../../DriverError.ts"
import { misconfigured } from "../fileError.ts"
import { chunkBytes, type TextFile } from "../text/TextFile.ts"

/** `first` is the character it begins with, empty when there is none. */
export const notAnArray = (path: string, first: string): DriverError =>
  misconfigured(
    "open",
    "not_an_array",
    `${path} does not hold a JSON array: ${first === "" ? "it is empty" : `it begins with ${JSON.stringify(first)}`}`,
    first === "{"
      ? "if every line is an object say format: ndjson; of one object with a list inside make one line (`jq -c .`), say format: ndjson, and let an explode stage take the list apart"
      : "the file must be one array of records, [ … ]"
  )

/** Looks at the first character that is not blank; throws when it opens no array. */
export const requireArray = async (file: TextFile): Promise<void> => {
  for (let at = 0; at < file.end; ) {
    const bytes = await file.read(at, chunkBytes)
    const mark = at === 0 && bytes.indexOf("\ufeff", 0, "utf8") === 0 ? 3 : 0
    const [first] = /[^ \t\r\n]/.exec(bytes.toString("latin1", mark)) ?? []
    if (first === "[") return
    if (first !== undefined) throw notAnArray(file.path, first)
    at += bytes.length
  }
  throw notAnArray(file.path, "")
}

/**
 * Opens a text file at a position, and refuses it when it is not the file the position was taken in.
 *
 * @module
 */
import { constants } from "node:fs"
import { type FileHandle, open, stat } from "node:fs/promises"
import { Effect, type Scope } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import type { DriverError } from "../DriverError.ts"
import {
  type BytePosition,
  headBytes,
  readPosition,
  shortHash,
  sourceChanged,
  tailBytes
} from "./Fingerprint.ts"
import { fail, fileError, notAFile } from "./fileError.ts"
import { readFully, type TextFile } from "./TextWindow.ts"

export interface OpenedText {
  readonly file: TextFile
  /** The file's first KiB. */
  readonly head: Buffer
  readonly start: { readonly byte: number; readonly row: number }
}

/** A handle that is closed with its scope; only regular files can be read again. */
export const openRegular = (path: string): Effect.Effect<FileHandle, DriverError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        // Opening a pipe would wait for its writer, so the kind is looked at first.
        if (!(await stat(path)).isFile()) throw fail("open", notAFile(path))
        return open(path, constants.O_RDONLY)
      },
      catch: (cause) => fileError("open", path, "read", cause)
    }),
    (handle) => Effect.promise(() => handle.close())
  )

export const openText = Effect.fnUntraced(function* (path: string, from: Position | null) {
  const handle = yield* openRegular(path)
  return yield* Effect.tryPromise({
    try: async (): Promise<OpenedText> => {
      const file: TextFile = { path, handle, end: (await handle.stat()).size }
      const head = await readFully(file, 0, Math.min(headBytes, file.end))
      const start = from === null ? { byte: 0, row: 0 } : await verify(file, head, readPosition(from))
      return { file, head, start }
    },
    catch: (cause) => fileError("open", path, "read", cause)
  })
})

const verify = async (file: TextFile, head: Buffer, position: BytePosition) => {
  const { byte, row } = position
  if (file.end < byte) {
    throw sourceChanged(file.path, `it has ${file.end} bytes and ${byte} had been read`)
  }
  const tail = await readFully(file, Math.max(0, byte - tailBytes), Math.min(tailBytes, byte))
  if (shortHash(head.subarray(0, Math.min(headBytes, byte))) !== position.head) {
    throw sourceChanged(file.path, "its beginning is different")
  }
  if (shortHash(tail) !== position.tail) {
    throw sourceChanged(file.path, `the bytes before byte ${byte} are different`)
  }
  if (byte > 0 && byte < file.end && tail.at(-1) !== 10) {
    // The last record read had no newline. What came since must not be the rest of that line.
    const [next] = await readFully(file, byte, 1)
    if (next !== 10 && next !== 13) throw sourceChanged(file.path, "its last line went on after it was read")
  }
  return { byte, row }
}

/**
 * Opens a text file at a position, and refuses it when it is not the file the position was taken in.
 *
 * @module
 */
import { constants } from "node:fs"
import { type FileHandle, open, stat } from "node:fs/promises"
import { Effect, type Scope } from "effect"
import type { Position } from "../../../../events/Checkpoint.ts"
import type { DriverError } from "../../DriverError.ts"
import { letGo } from "../../letGo.ts"
import { fail, fileError, notAFile } from "../fileError.ts"
import {
  type BytePosition,
  headBytes,
  readPosition,
  shortHash,
  sourceChanged,
  tailBytes
} from "./Fingerprint.ts"
import { GzipFile } from "./GzipFile.ts"
import { plainFile, type TextFile } from "./TextFile.ts"

export interface OpenedText {
  readonly file: TextFile
  readonly handle: FileHandle
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
    (handle) => letGo(path, () => handle.close())
  )

/**
 * Whether a reading may go on between two bytes. The last record read may have ended with the file; what
 * came since must not be the rest of it.
 */
export type MayGoOn = (before: number | undefined, next: number | undefined) => boolean

export const openText = Effect.fnUntraced(function* (
  path: string,
  compressed: boolean,
  mayGoOn: MayGoOn,
  from: Position | null
) {
  const handle = yield* openRegular(path)
  const attempt = <A>(act: () => Promise<A>) =>
    Effect.tryPromise({ try: act, catch: (cause) => fileError("open", path, "read", cause) })
  const file: TextFile = compressed
    ? yield* Effect.acquireRelease(
        attempt(() => GzipFile.open(path, handle)),
        (gzip) => letGo(path, () => gzip.close())
      )
    : yield* attempt(() => plainFile(path, handle))
  return yield* attempt(async (): Promise<OpenedText> => {
    const head = await file.read(0, headBytes)
    const start = from === null ? { byte: 0, row: 0 } : await verify(file, head, readPosition(from), mayGoOn)
    return { file, handle, head, start }
  })
})

const verify = async (file: TextFile, head: Buffer, position: BytePosition, mayGoOn: MayGoOn) => {
  const { byte, row } = position
  verifyCompressed(file, position)
  const length = Math.min(tailBytes, byte)
  const tail = file.end < byte ? undefined : await file.read(byte - length, length)
  if (tail === undefined || tail.length < length) {
    throw sourceChanged(file.path, `it has ${file.end} bytes and ${byte} had been read`)
  }
  if (shortHash(head.subarray(0, Math.min(headBytes, byte))) !== position.head) {
    throw sourceChanged(file.path, "its beginning is different")
  }
  if (shortHash(tail) !== position.tail) {
    throw sourceChanged(file.path, `the bytes before byte ${byte} are different`)
  }
  if (byte > 0 && byte < file.end) {
    const [next] = await file.read(byte, 1)
    if (!mayGoOn(tail.at(-1), next)) {
      throw sourceChanged(file.path, "its last record went on after it was read")
    }
  }
  return { byte, row }
}

const verifyCompressed = ({ compressed, path }: TextFile, { gzip }: BytePosition): void => {
  if (compressed === undefined && gzip === undefined) return
  if (compressed === undefined || gzip === undefined) {
    throw sourceChanged(path, `it was ${gzip === undefined ? "not " : ""}read as a gzip file`)
  }
  if (compressed.size < gzip.size) {
    throw sourceChanged(path, `it has ${compressed.size} compressed bytes and had ${gzip.size}`)
  }
  if (shortHash(compressed.head.subarray(0, gzip.size)) !== gzip.head) {
    throw sourceChanged(path, "its compressed beginning is different")
  }
}

/**
 * The steps in which a spool changes what is on the disk. Between any two of them the process may die.
 *
 * @module
 */
import { constants, type FileHandle, open, rename, rm } from "node:fs/promises"
import { dirname } from "node:path"
import { syncFolder } from "../../file/sink/durable.ts"

export interface SpoolDisk {
  /** A file of this content in place of what was there: durable, whole or not at all. */
  create(path: string, bytes: Uint8Array): Promise<void>
  /** The same, and not durable yet: a power failure may bring back what was there before. */
  replace(path: string, bytes: Uint8Array): Promise<void>
  write(handle: FileHandle, buffers: ReadonlyArray<Uint8Array>, at: number): Promise<void>
  sync(handle: FileHandle): Promise<void>
  /** Durable. */
  cut(handle: FileHandle, length: number): Promise<void>
  remove(path: string): Promise<void>
}

/** The disk through Node's file system. */
export const fileDisk: SpoolDisk = {
  create: async (path, bytes) => {
    await put(path, bytes, true)
    await syncFolder(dirname(path))
  },
  replace: (path, bytes) => put(path, bytes, false),
  write: async (handle, buffers, at) => {
    const left = buffers.filter(({ length }) => length > 0)
    while (left.length > 0) {
      let { bytesWritten } = await handle.writev(left, at)
      at += bytesWritten
      while (left[0] !== undefined && bytesWritten >= left[0].length) bytesWritten -= left.shift()!.length
      if (left[0] !== undefined) left[0] = left[0].subarray(bytesWritten)
    }
  },
  sync: (handle) => handle.datasync(),
  cut: async (handle, length) => {
    await handle.truncate(length)
    await handle.sync()
  },
  remove: (path) => rm(path, { force: true })
}

const put = async (path: string, bytes: Uint8Array, durable: boolean): Promise<void> => {
  const beside = `${path}.new`
  const handle = await open(beside, constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY, 0o600)
  try {
    await handle.writeFile(bytes)
    if (durable) await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(beside, path)
}

/**
 * Small steps on files that are on the disk once they return.
 *
 * @module
 */
import { constants, copyFile, type FileHandle, mkdir, open, stat } from "node:fs/promises"

/** Makes renames, creations and removals in this folder durable. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export const makeFolder = async (folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true })
}

/** Bytes of the file, `undefined` when there is none. */
export const sizeOf = async (path: string): Promise<number | undefined> => {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}

/** The first `length` bytes of `from` as a file of its own, replacing whatever `to` was. */
export const copyPrefix = async (from: string, to: string, length: number): Promise<FileHandle> => {
  await copyFile(from, to, constants.COPYFILE_FICLONE)
  return openCut(to, length)
}

/** An existing file, cut to `length` bytes, for reading and writing. */
export const openCut = async (path: string, length: number): Promise<FileHandle> => {
  const handle = await open(path, "r+")
  try {
    await handle.truncate(length)
    await handle.sync()
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Small steps on files that are on the disk once they return.
 *
 * @module
 */
import { constants, copyFile, type FileHandle, mkdir, open, stat } from "node:fs/promises"
import { dirname } from "node:path"

/** Makes renames, creations and removals in this folder durable. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The folder and those above it, as far as they are missing. */
export const makeFolder = async (folder: string): Promise<void> => {
  const first = await mkdir(folder, { recursive: true })
  if (first === undefined) return
  // Every new name has to survive, not only the last one.
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
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

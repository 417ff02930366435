/**
 * An output that replaces its target when the run completes.
 *
 * Everything is written to a partial file beside the target (see PartialFiles). `finish` makes it
 * durable; once that is in the log, `publish` renames it over the target.
 *
 * The partial file named by the receipt a writer was opened with stays until the writer publishes, or
 * until a later opening whose receipt names another one: both mean that the log names the newer file,
 * whereas a `flush` that returned says nothing about whether its receipt reached the log.
 *
 * @module
 */
import { type FileHandle, open, rename, stat } from "node:fs/promises"
import { basename, join } from "node:path"
import type { SinkOpening } from "../../Sink.ts"
import { fail, misconfigured, notAFile } from "../fileError.ts"
import { copyPrefix, makeFolder, openCut, sizeOf, syncFolder } from "./durable.ts"
import {
  changedSinceFinished,
  type FileReceipt,
  type RecordedBefore,
  shorterThanRecorded
} from "./FileReceipt.ts"
import { OutputFile } from "./OutputFile.ts"
import type { PartialFiles } from "./PartialFiles.ts"

export interface OpenedOutput {
  readonly handle: FileHandle
  readonly output: OutputFile
}

/** The partial file of this epoch, holding exactly what the receipt vouches for. */
export const openReplace = async (
  target: string,
  partials: PartialFiles,
  opening: SinkOpening,
  receipt: FileReceipt | undefined,
  before?: RecordedBefore
): Promise<OpenedOutput> => {
  await makeFolder(partials.folder)
  await refuseFolder(target)
  const name = partials.nameOf(opening.epoch)
  const path = join(partials.folder, name)
  // Our own leftover is overwritten below rather than removed: it may be the one the receipt names.
  const kept = [receipt?.file, before?.receipt.file].filter((file) => file !== undefined)
  await partials.sweep(opening.epoch, [name, ...kept])
  const handle =
    opening.extends === true
      ? await openCopy(target, path, receipt)
      : before === undefined || receipt === undefined
        ? await openPartial(path, partials, receipt)
        : await openEarlier(target, path, partials, receipt, before)
  try {
    // Invariant 1: a receipt must never be logged for a file whose name a power loss can take away.
    await syncFolder(partials.folder)
  } catch (error) {
    await handle.close()
    throw error
  }
  const length = opening.extends === true ? (await handle.stat()).size : (receipt?.length ?? 0)
  return { handle, output: new OutputFile(path, handle, length) }
}

/** The complete output as it is, to be added to out of sight; one that was changed since it was finished is not ours. */
const openCopy = async (
  target: string,
  path: string,
  receipt: FileReceipt | undefined
): Promise<FileHandle> => {
  const size = await sizeOf(target)
  if (receipt !== undefined && size !== receipt.length) {
    throw size === undefined
      ? shorterThanRecorded(target, undefined, receipt.length)
      : changedSinceFinished(target, size, receipt.length)
  }
  return size === undefined ? open(path, "w+") : copyPrefix(target, path, size)
}

const openPartial = async (path: string, partials: PartialFiles, receipt: FileReceipt | undefined) => {
  if (receipt === undefined) return open(path, "w+")
  const old = join(partials.folder, receipt.file ?? basename(path))
  const size = await sizeOf(old)
  if ((size ?? 0) < receipt.length) throw shorterThanRecorded(old, size, receipt.length)
  if (size === undefined) return open(path, "w+")
  return old === path ? openCut(path, receipt.length) : copyPrefix(old, path, receipt.length)
}

/**
 * A run that was set back: the bytes are in the target if it had completed, else in the partial file that was
 * recorded last. The target stays as it is until the run completes again.
 */
const openEarlier = async (
  target: string,
  path: string,
  partials: PartialFiles,
  receipt: FileReceipt,
  before: RecordedBefore
): Promise<FileHandle> => {
  if (receipt.length === 0) return open(path, "w+")
  if (!before.finished) {
    return openPartial(path, partials, { ...receipt, file: before.receipt.file ?? basename(path) })
  }
  const published = await sizeOf(target)
  if (published === undefined) throw shorterThanRecorded(target, undefined, receipt.length)
  if (published !== before.receipt.length)
    throw changedSinceFinished(target, published, before.receipt.length)
  return copyPrefix(target, path, receipt.length)
}

const refuseFolder = async (target: string): Promise<void> => {
  if ((await sizeOf(target)) !== undefined && (await stat(target)).isDirectory()) {
    throw fail("open", notAFile(target))
  }
}

/** Renames the finished partial file over the target; done already when only the target is left. */
export const publishReplace = async (
  target: string,
  partials: PartialFiles,
  epoch: number,
  receipt: FileReceipt
): Promise<void> => {
  const path = join(partials.folder, receipt.file ?? partials.nameOf(epoch))
  const size = await sizeOf(path)
  if (size === undefined) {
    // Renamed already, if the target is what was finished; an older file of that name is not.
    if ((await sizeOf(target)) !== receipt.length) throw shorterThanRecorded(path, undefined, receipt.length)
  } else {
    if (size !== receipt.length) {
      throw misconfigured(
        "publish",
        size < receipt.length ? "output_shorter_than_recorded" : "output_longer_than_recorded",
        `${path} has ${size} bytes; it was finished with ${receipt.length}`,
        "something wrote to the finished output; start a new run"
      )
    }
    await rename(path, target)
  }
  await syncFolder(partials.folder)
  await partials.sweep(epoch, [])
}

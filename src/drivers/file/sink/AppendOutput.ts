/**
 * An output that grows at the end of its target, run after run.
 *
 * The target itself is written, so the lock must be held; on resume, and behind a run that was given up,
 * it is cut back to the length the log vouches for.
 *
 * @module
 */
import { type FileHandle, open } from "node:fs/promises"
import { dirname } from "node:path"
import { openCut, sizeOf, syncFolder } from "./durable.ts"
import {
  changedSinceFinished,
  type FileReceipt,
  type RecordedBefore,
  shorterThanRecorded
} from "./FileReceipt.ts"
import { OutputFile } from "./OutputFile.ts"
import type { OpenedOutput } from "./ReplaceOutput.ts"

export const openAppend = async (
  target: string,
  receipt: FileReceipt | undefined,
  leftover: FileReceipt | undefined,
  before?: RecordedBefore,
  /** The output is complete: what stands behind what was recorded is others', and stays. */
  isExtended = false
): Promise<OpenedOutput & { readonly endsOpen: boolean }> => {
  const size = await sizeOf(target)
  if (receipt !== undefined && (size ?? 0) < receipt.length) {
    throw shorterThanRecorded(target, size, receipt.length)
  }
  if (receipt !== undefined && before?.finished === true) refuseForeign(target, size ?? 0, receipt, before)
  const length = isExtended ? keptOf(size ?? 0, leftover) : (receipt?.length ?? keptOf(size ?? 0, leftover))
  const handle = size === undefined ? await open(target, "w+") : await openCut(target, length)
  try {
    await syncFolder(dirname(target))
    return {
      handle,
      output: new OutputFile(target, handle, length),
      endsOpen: await endsOpen(handle, length)
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** The last of so many bytes is not the end of a line. */
export const endsOpen = async (handle: FileHandle, length: number): Promise<boolean> => {
  if (length === 0) return false
  const last = Buffer.alloc(1)
  await handle.read(last, 0, 1, length - 1)
  return last[0] !== 10
}

/** Others may write to a finished output, and then it is not ours to cut; cut already, it has the other length. */
const refuseForeign = (
  target: string,
  size: number,
  { length }: FileReceipt,
  { receipt: finished }: RecordedBefore
): void => {
  if (size !== length && size !== finished.length) throw changedSinceFinished(target, size, finished.length)
}

/** A partial file's receipt (the mode was another one then) says nothing about the target. */
const keptOf = (size: number, leftover: FileReceipt | undefined): number =>
  leftover === undefined || leftover.file !== undefined ? size : Math.min(size, leftover.length)

/**
 * The partial files of a target: beside it, hidden, named by pipeline and epoch.
 *
 * A file is written only under the epoch in its name, so a zombie of an older epoch cannot touch what
 * its successor writes. A successor copies the prefix that the log vouches for and leaves the old file
 * alone until the log names the new one.
 *
 * @module
 */
import { readdir, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"

export interface PartialFiles {
  readonly folder: string
  nameOf(epoch: number): string
  /** Removes partial files of older epochs, and this one's own, except those named. */
  sweep(epoch: number, keep: ReadonlyArray<string>): Promise<void>
}

export const partialFiles = (target: string, pipelineId: string): PartialFiles => {
  const folder = dirname(target)
  // encodeURIComponent keeps an id of any characters one path segment, and different ids different.
  const prefix = `.${basename(target)}.${encodeURIComponent(pipelineId)}.`
  const epochOf = (name: string): number | undefined => {
    if (!name.startsWith(prefix) || !name.endsWith(suffix)) return undefined
    const epoch = name.slice(prefix.length, -suffix.length)
    return /^[0-9]{1,15}$/.test(epoch) ? Number(epoch) : undefined
  }
  return {
    folder,
    nameOf: (epoch) => `${prefix}${epoch}${suffix}`,
    async sweep(epoch, keep) {
      for (const name of await readdir(folder)) {
        const found = epochOf(name)
        // A newer epoch's file means that this process is the zombie: not its to remove.
        if (found === undefined || found > epoch || keep.includes(name)) continue
        await rm(join(folder, name), { force: true })
      }
    }
  }
}

const suffix = ".partial"

/**
 * The files a glob matches: `*`, `**`, `?`, `[a-z]` and `{a,b}`; hidden files only when named so.
 *
 * @module
 */
import { readdirSync } from "node:fs"
import { glob, stat } from "node:fs/promises"
import { basename, dirname, matchesGlob, relative, resolve, sep } from "node:path"
import { nearest } from "../../../../events/nearest.ts"
import type { DriverContext } from "../../Driver.ts"
import { misconfigured } from "../fileError.ts"
import { nameIn, realPathOf } from "../formats.ts"

/** The most files one source reads; their names are held in memory. */
export const maxFiles = 100_000

export interface GlobFile {
  /** Relative to the base, with forward slashes; what positions and metadata say. */
  readonly name: string
  readonly path: string
  /** Bytes, when it was listed. */
  readonly size: number
}

export const isGlob = (path: string): boolean => /[*?[{]/.test(path)

/** Does the glob of these settings match a path? What is no glob covers nothing. */
export const globCovers = (
  config: { readonly path: string },
  context: DriverContext,
  resource: string
): boolean => isGlob(config.path) && matchesGlob(resource, realPathOf(config, context))

/** All regular files that match, in the order of their names by code unit. */
export const globFiles = async (pattern: string, base: string): Promise<ReadonlyArray<GlobFile>> => {
  const files: Array<GlobFile> = []
  for await (const found of glob(pattern, { cwd: base })) {
    const path = resolve(base, found)
    // A file that vanishes while the folder is listed was not there.
    const known = await stat(path).catch(() => undefined)
    if (known?.isFile() !== true) continue
    files.push({ name: nameIn(base, path), path, size: known.size })
    if (files.length > maxFiles) {
      throw misconfigured(
        "open",
        "too_many_files",
        `${pattern} matches more than ${maxFiles} files`,
        "match fewer, or put their records into fewer files"
      )
    }
  }
  return files.sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0))
}

/** No file matches: says what is there instead. */
export const nothingMatches = (pattern: string, base: string) => {
  const fixed = fixedFolder(pattern)
  const folder = resolve(base, fixed)
  let suggestion = `there is no folder ${folder}; the path resolves against the pipeline file's folder`
  try {
    const names = readdirSync(folder)
    const close = nearest(basename(pattern), names) ?? names[0]
    suggestion =
      close === undefined ? `the folder ${folder} is empty` : `the folder ${folder} has ${close}, for example`
  } catch {
    // Then the folder is what is missing.
  }
  return misconfigured(
    "open",
    "file_not_found",
    `no file matches ${relative(base, resolve(base, pattern))}`,
    suggestion
  )
}

/** The folders of a pattern before the first that is one. */
const fixedFolder = (pattern: string): string => {
  let folder = dirname(pattern)
  while (isGlob(folder)) folder = dirname(folder)
  return folder.split("/").join(sep)
}

/**
 * Where a service stands: the folder its pipelines' paths resolve against, the folders they may touch, and the
 * files it was given.
 *
 * @module
 */
import { readdirSync, realpathSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { Effect } from "effect"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"

export interface Grounds {
  /** Absolute: the first folder that was given, else the working directory. */
  readonly base: string
  /** Absolute, links followed. Nothing else may be read or written by a pipeline. */
  readonly roots: ReadonlyArray<string>
  /** Pipeline files, in the order they were given, those of a folder by name. */
  readonly files: ReadonlyArray<string>
}

/** Fails where something is named that is not there. */
export const grounds = Effect.fnUntraced(function* (options: {
  readonly places: ReadonlyArray<string>
  readonly roots: ReadonlyArray<string>
}): Effect.fn.Return<Grounds, CliFailure> {
  const folders: Array<string> = []
  const files: Array<string> = []
  for (const place of options.places) {
    const kind = statSync(place, { throwIfNoEntry: false })
    if (kind === undefined) return yield* missing(place)
    if (!kind.isDirectory()) files.push(place)
    else {
      folders.push(resolve(place))
      files.push(...pipelineFilesIn(place))
    }
  }
  const base = folders[0] ?? process.cwd()
  const roots: Array<string> = [base, ...folders, ...files.map((file) => dirname(resolve(file)))]
  for (const root of options.roots) {
    if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) return yield* missing(root)
    roots.push(root)
  }
  return { base, roots: [...new Set(roots.map((root) => realpathSync(root)))], files }
})

/** What stands beside a pipeline, its tests and the schema, is not one. */
const pipelineFilesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && /\.(?:ya?ml|json)$/i.test(entry.name))
    .map(({ name }) => name)
    .filter((name) => !/\.(?:test|schema)\.\w+$/i.test(name) && !name.startsWith("."))
    .sort()
    .map((name) => join(folder, name))

const missing = (place: string) =>
  new CliFailure({
    exit: exitCode.badInput,
    code: "file_not_found",
    message: `${place} does not exist, or is no folder`,
    suggestion: "name a folder, or pipeline files"
  })

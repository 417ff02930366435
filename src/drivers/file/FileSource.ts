/**
 * Records from a file, or from all files a glob matches, that can be read again from any position.
 *
 * Every record carries its file's path as `metadata.file`.
 *
 * @module
 */
import { existsSync } from "node:fs"
import { Effect, type Scope } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import type { DriverContext, Offer } from "../Driver.ts"
import type { DriverError } from "../DriverError.ts"
import type { ReadLimit, Source, SourceReader } from "../Source.ts"
import { FileSourceConfig } from "./FileSourceConfig.ts"
import { fileError } from "./fileError.ts"
import { nameIn, pathOf, realPathOf } from "./formats.ts"
import { openFile } from "./openFile.ts"
import { parseFile } from "./parseFile.ts"
import type { FileReader } from "./text/FileReader.ts"
import { openGlob } from "./text/GlobReader.ts"
import { globCovers, isGlob } from "./text/globFiles.ts"

export const fileSource: Offer<FileSourceConfig, Source> = {
  config: FileSourceConfig,
  resource: realPathOf,
  covers: globCovers,
  make: (config, context) => Effect.succeed(makeSource(config, context))
}

/** The source these settings mean. A file whose very name looks like a glob is that file. */
export const makeSource = (config: FileSourceConfig, context: DriverContext): Source => {
  const path = pathOf(config, context)
  const matches = () => isGlob(config.path) && !existsSync(path)
  return {
    open: (from) => (matches() ? openGlob(config, context, from) : openSingle(config, path, context, from)),
    parse: parseFile(config, context, matches)
  }
}

const openSingle = Effect.fnUntraced(function* (
  config: FileSourceConfig,
  path: string,
  { base, confines, follows }: DriverContext,
  from: Position | null
): Effect.fn.Return<SourceReader, DriverError, Scope.Scope> {
  const metadata = Object.freeze({ file: nameIn(base, path) })
  const reader = yield* openFile(config, path, metadata, from, { confines, follows })
  const attempt = <A>(act: () => Promise<A>) =>
    Effect.tryPromise({ try: act, catch: (cause) => fileError("next", path, "read", cause) })
  return {
    next: (limit) =>
      follows === true ? nextOfGrowing(reader, attempt, limit) : attempt(() => reader.next(limit)),
    // The position is in the log; a file has nobody to tell.
    ack: () => Effect.void,
    progress: () => reader.progress
  }
})

/** Between two looks at a file that grows, in the engine's time: nobody tells a reader that a file was written. */
export const lookEvery = "500 millis"

/** What is there already, or what comes: at the end of a file that grows the reader waits. */
const nextOfGrowing = Effect.fnUntraced(function* (
  reader: FileReader,
  attempt: <A>(act: () => Promise<A>) => Effect.Effect<A, DriverError>,
  limit: ReadLimit
) {
  const grow = attempt(async () => (await reader.grow?.()) ?? false)
  // A sealed batch is all there, however long the file is by now.
  if (limit.exactly === true) yield* Effect.repeat(grow, { while: (came) => came })
  while (true) {
    const batch = yield* attempt(() => reader.next(limit))
    if (batch !== null || limit.exactly === true) return batch
    if (!(yield* grow)) yield* Effect.sleep(lookEvery)
  }
})

/**
 * Records from all files a glob matches, one file after the other.
 *
 * The list of files is made when the source is opened, in the order of their names. A batch never spans
 * two files, and a position names the file that is read next: once the last record of a file is taken it
 * is the beginning of the next file that has any. So whatever becomes of a file that is done (moved away,
 * grown, replaced) changes nothing, and a resumed reading looks only at what is left:
 *
 * - the file being read has changed, or is gone: `source_changed`;
 * - a new file behind the place is read in this run;
 * - a new file before the place is left for the next run.
 *
 * @module
 */
import { Effect, Exit, Schema, Scope } from "effect"
import type { Position } from "../../../../events/Checkpoint.ts"
import type { Confines } from "../../Confines.ts"
import type { DriverContext } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type { SourceBatch } from "../../Record.ts"
import type { ReadLimit, SourceReader } from "../../Source.ts"
import type { FileSourceConfig } from "../FileSourceConfig.ts"
import { fileError, misconfigured } from "../fileError.ts"
import { openFile } from "../openFile.ts"
import { requireTame } from "../requireAllowed.ts"
import type { FileReader, Progress } from "./FileReader.ts"
import { sourceChanged } from "./Fingerprint.ts"
import { type GlobFile, globFiles, nothingMatches } from "./globFiles.ts"

/** `file` is read next, from `at` on: a position of its own format, `null` at its beginning. */
const GlobPosition = Schema.Struct({ file: Schema.String, at: Schema.Json })
const isGlobPosition = Schema.is(GlobPosition)

/** The file a position names, relative to the base; `undefined` for the beginning of them all. */
export const fileOfPosition = (from: Position | null): string | undefined =>
  isGlobPosition(from) ? from.file : undefined

export const openGlob = Effect.fnUntraced(function* (
  config: FileSourceConfig,
  { base, confines }: Pick<DriverContext, "base" | "confines">,
  from: Position | null
): Effect.fn.Return<SourceReader, DriverError, Scope.Scope> {
  const { path } = config
  const files = yield* Effect.tryPromise({
    try: () => {
      requireTame(path, confines)
      return globFiles(path, base)
    },
    catch: (cause) => fileError("open", path, "read", cause)
  })
  const place = yield* Effect.try({
    try: () => placeOf(path, base, files, from),
    catch: (cause) => fileError("open", path, "read", cause)
  })
  const scope = yield* Effect.scope
  const reader = new GlobReader(config, files, scope, place.index, confines)
  yield* reader.enter(place.index, place.at)
  return {
    next: (limit) => reader.next(limit),
    // The position is in the log; a file has nobody to tell.
    ack: () => Effect.void,
    progress: () => reader.progress
  }
})

const placeOf = (pattern: string, base: string, files: ReadonlyArray<GlobFile>, from: Position | null) => {
  if (from === null) {
    if (files.length === 0) throw nothingMatches(pattern, base)
    return { index: 0, at: null }
  }
  if (!isGlobPosition(from)) {
    throw misconfigured(
      "open",
      "source_changed",
      "the recorded position is not one in the files of a glob",
      "the source was probably a single file; start a new run"
    )
  }
  const index = files.findIndex(({ name }) => name === from.file)
  if (index < 0) throw sourceChanged(from.file, "it is gone")
  return { index, at: from.at }
}

class GlobReader {
  private readonly config: FileSourceConfig
  private readonly files: ReadonlyArray<GlobFile>
  private readonly outer: Scope.Scope
  private readonly sizes: ReadonlyArray<number>
  private readonly confines: Confines | undefined
  private index: number
  private current: { readonly reader: FileReader; readonly scope: Scope.Closeable } | undefined

  constructor(
    config: FileSourceConfig,
    files: ReadonlyArray<GlobFile>,
    outer: Scope.Scope,
    index: number,
    confines: Confines | undefined
  ) {
    this.confines = confines
    this.config = config
    this.files = files
    this.outer = outer
    this.index = index
    let size = 0
    this.sizes = [0, ...files.map((file) => (size += file.size))]
  }

  /** Bytes of the files as they lie on the disk; within a file as far as its own reader says. */
  get progress(): Progress {
    const before = this.sizes[this.index]!
    const { done = 0, total = null } = this.current?.reader.progress ?? {}
    const share = total === null || total === 0 ? 0 : done / total
    return {
      done: before + Math.floor(share * (this.files[this.index]?.size ?? 0)),
      total: this.sizes.at(-1)!,
      unit: "bytes"
    }
  }

  next(limit: ReadLimit): Effect.Effect<SourceBatch | null, DriverError> {
    return Effect.gen({ self: this }, function* () {
      while (this.current !== undefined) {
        const { reader } = this.current
        const file = this.files[this.index]!
        const batch = yield* this.attempt(() => reader.next(limit))
        if (batch !== null) {
          // A failure to look ahead takes nothing from the batch: the next call meets it again.
          yield* Effect.ignore(this.advance())
          const entered = this.files[this.index]!
          return {
            ...batch,
            to: entered === file ? { file: file.name, at: batch.to } : { file: entered.name, at: null }
          }
        }
        if (this.index + 1 === this.files.length) return null
        yield* this.enter(this.index + 1, null)
      }
      return null
    })
  }

  /** Opens a file in place of the current one, which stays when that fails. */
  enter(index: number, at: Position | null): Effect.Effect<void, DriverError> {
    return Effect.gen({ self: this }, function* () {
      const opened = yield* this.open(index, at)
      yield* this.leave
      this.current = opened
      this.index = index
    })
  }

  /** When the current file is done, on to the next one that has a record, if there is one. */
  private advance(): Effect.Effect<void, DriverError> {
    return Effect.gen({ self: this }, function* () {
      const { current } = this
      if (current === undefined || !(yield* this.attempt(() => current.reader.atEnd()))) return
      for (let index = this.index + 1; index < this.files.length; index++) {
        const opened = yield* this.open(index, null)
        const empty = yield* this.attempt(() => opened.reader.atEnd()).pipe(
          Effect.tapError(() => Scope.close(opened.scope, Exit.void))
        )
        if (empty) {
          yield* Scope.close(opened.scope, Exit.void)
          continue
        }
        yield* this.leave
        this.current = opened
        this.index = index
        return
      }
    })
  }

  private readonly leave = Effect.suspend(() => {
    const { current } = this
    return current === undefined ? Effect.void : Scope.close(current.scope, Exit.void)
  })

  /** Each file has a scope of its own below that of the source. */
  private open(index: number, at: Position | null) {
    return Effect.gen({ self: this }, function* () {
      const { name, path } = this.files[index]!
      const scope = yield* Scope.fork(this.outer)
      const metadata = Object.freeze({ file: name })
      const reader = yield* openFile(this.config, path, metadata, at, { confines: this.confines }).pipe(
        Effect.provideService(Scope.Scope, scope),
        Effect.onError(() => Scope.close(scope, Exit.void))
      )
      return { reader, scope }
    })
  }

  private attempt<A>(act: () => Promise<A>): Effect.Effect<A, DriverError> {
    const { path } = this.files[this.index]!
    return Effect.tryPromise({ try: act, catch: (cause) => fileError("next", path, "read", cause) })
  }
}

/**
 * The spools of a process: one for each pipeline and stage, opened when they are first asked for.
 *
 * @module
 */
import { existsSync } from "node:fs"
import { mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { DriverError } from "../../DriverError.ts"
import { fileError } from "../../file/fileError.ts"
import { makeFolder } from "../../file/sink/durable.ts"
import { lockFile } from "../../file/sink/FileLock.ts"
import { letGo } from "../../letGo.ts"
import { Incoming } from "../body/Body.ts"
import { refuse } from "../IngressError.ts"
import { defaultBounds, type SpoolBounds } from "./bounds.ts"
import { Spool } from "./Spool.ts"
import { fileDisk, type SpoolDisk } from "./SpoolDisk.ts"
import { SpoolWriter } from "./SpoolWriter.ts"

export interface SpoolsOptions {
  /** A folder of their own, made if it is missing. One process at a time has it. */
  readonly directory: string
  readonly bounds?: Partial<SpoolBounds>
  readonly disk?: SpoolDisk
}

export interface OpenSpool {
  readonly spool: Spool
  readonly writer: SpoolWriter
}

export interface Spools {
  readonly incoming: Incoming
  /** The spool of a stage; made if there is none. `pipeline` is its id. */
  of(pipeline: string, stage: string): Promise<OpenSpool>
  /** The spool of a stage that something was pushed into. */
  known(pipeline: string, stage: string): Promise<OpenSpool | undefined>
}

/** Fails with `output_locked` when another process has the folder. They are closed with the scope. */
export const openSpools = Effect.fnUntraced(function* (
  options: SpoolsOptions
): Effect.fn.Return<Spools, DriverError, Scope.Scope> {
  const { directory, disk = fileDisk } = options
  const bounds = { ...defaultBounds, ...options.bounds }
  const attempt = <A>(act: () => Promise<A>) =>
    Effect.tryPromise({ try: act, catch: (cause) => fileError("open", directory, "write", cause) })
  yield* attempt(() => makeFolder(directory))
  yield* lockFile(join(directory, "ingress"))
  // What was arriving when the last process ended was never taken.
  const arriving = join(directory, "arriving")
  yield* attempt(() => rm(arriving, { recursive: true, force: true }))
  yield* attempt(() => mkdir(arriving))
  const book = new Book(directory, disk, bounds, new Incoming(arriving, bounds))
  yield* Effect.addFinalizer(() => letGo(directory, () => book.close()))
  return book
})

class Book implements Spools {
  readonly incoming: Incoming
  private readonly directory: string
  private readonly disk: SpoolDisk
  private readonly bounds: SpoolBounds
  private readonly opened = new Map<string, Promise<OpenSpool>>()
  private isClosed = false

  constructor(directory: string, disk: SpoolDisk, bounds: SpoolBounds, incoming: Incoming) {
    this.directory = directory
    this.disk = disk
    this.bounds = bounds
    this.incoming = incoming
  }

  async of(pipeline: string, stage: string): Promise<OpenSpool> {
    if (this.isClosed) throw refuse({ _tag: "Unavailable", message: "the service is shutting down" })
    const folder = this.folderOf(pipeline, stage)
    const known = this.opened.get(folder)
    if (known !== undefined) return known
    const opening = Spool.open(folder, this.disk, this.bounds).then((spool) => ({
      spool,
      writer: new SpoolWriter(spool)
    }))
    this.opened.set(folder, opening)
    // What is mended on the disk is seen by the next who asks.
    opening.catch(() => this.opened.delete(folder))
    return opening
  }

  async known(pipeline: string, stage: string): Promise<OpenSpool | undefined> {
    return existsSync(join(this.folderOf(pipeline, stage), "spool.json"))
      ? this.of(pipeline, stage)
      : undefined
  }

  async close(): Promise<void> {
    this.isClosed = true
    for (const opening of this.opened.values()) {
      const open = await opening.catch(() => undefined)
      await open?.writer.idle()
      await open?.spool.close()
    }
  }

  private folderOf(pipeline: string, stage: string): string {
    return join(this.directory, nameOf(pipeline), nameOf(stage))
  }
}

/** A name as one of a file: no two names are one, and none is a step up. */
const nameOf = (name: string): string =>
  encodeURIComponent(name).replaceAll(".", "%2E").replaceAll("*", "%2A").toWellFormed()

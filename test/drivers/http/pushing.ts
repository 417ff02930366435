/**
 * An ingress on a folder, a disk that dies, and what a test reads and pushes.
 *
 * @module
 */
import type { FileHandle } from "node:fs/promises"
import { Effect, Schema, Stream } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import { type Ingress, makeIngress, type Push } from "../../../src/drivers/http/Ingress.ts"
import type { SpoolBounds } from "../../../src/drivers/http/spool/bounds.ts"
import { fileDisk, type SpoolDisk } from "../../../src/drivers/http/spool/SpoolDisk.ts"
import type { Source, SourceReader } from "../../../src/drivers/Source.ts"
import { contextOf } from "../support.ts"

export const ndjson = { use: "http", format: "ndjson" } as const

export const ingressOn = (directory: string, bounds: Partial<SpoolBounds> = {}, disk: SpoolDisk = fileDisk) =>
  makeIngress({ directory, bounds, disk })

type Service = Ingress["Service"]

/** Pushes a text; the stage is the one of `sourceOf`. */
export const push = (ingress: Service, text: string | Uint8Array, more: Partial<Push> = {}) =>
  ingress.push({
    pipeline: "p-1",
    stage: "stage",
    source: ndjson,
    body: Stream.make(typeof text === "string" ? Buffer.from(text) : text),
    ...more
  })

/** Lines `{"n":from}` up to `to`. */
export const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => `{"n":${from + index}}\n`).join("")

export const sourceOf = (ingress: Service, settings: Readonly<Record<string, unknown>> = ndjson) =>
  Effect.suspend(() => {
    const offer = ingress.driver.source!
    const { use: _, ...config } = settings
    return offer.make(Schema.decodeUnknownSync(offer.config)(config), contextOf("/"))
  })

/** Ends where it would wait: for readers that read everything there is. */
export const ending = (source: Source): Source => ({
  open: (from) =>
    Effect.map(source.open(from), (reader): SourceReader => {
      const { ack, next, progress } = reader
      const isAtEnd = () => progress().done === progress().total
      return {
        ack,
        progress,
        next: (limit) => Effect.suspend(() => (isAtEnd() ? Effect.succeed(null) : next(limit)))
      }
    })
})

/** Payloads from a place on, without waiting for more. */
export const payloadsFrom = (
  ingress: Service,
  from: Position | null = null,
  settings?: Record<string, unknown>
) =>
  Effect.gen(function* () {
    const reader = yield* ending(yield* sourceOf(ingress, settings)).open(from)
    const payloads: Array<unknown> = []
    while (true) {
      const batch = yield* reader.next({ records: 1000, bytes: 1_000_000 })
      if (batch === null) return payloads
      payloads.push(...batch.records.map(({ payload }) => payload))
    }
  }).pipe(Effect.scoped)

/** What the process dies of at one step on the disk. */
export class Death extends Error {}

/**
 * Dies at step number `at` (0: the first), and every step after it; what is written then is half there. With
 * `power` gone as well, nothing is there that was not made durable.
 */
export const dyingDisk = (at: number, power = false) => {
  const steps: Array<string> = []
  const unsynced = new Map<FileHandle, number>()
  /** Whether the process is dead at this step. */
  const step = async (name: string): Promise<boolean> => {
    steps.push(name)
    if (steps.length !== at + 1 || !power) return steps.length > at
    for (const [handle, length] of unsynced) await handle.truncate(length)
    return true
  }
  const or = async (dead: boolean, act: () => Promise<void>) => {
    if (dead) throw new Death()
    await act()
  }
  const disk: SpoolDisk = {
    create: async (path, bytes) => or(await step("create"), () => fileDisk.create(path, bytes)),
    replace: async (path, bytes) => or(await step("replace"), () => fileDisk.replace(path, bytes)),
    cut: async (handle, length) => or(await step("cut"), () => fileDisk.cut(handle, length)),
    remove: async (path) => or(await step("remove"), () => fileDisk.remove(path)),
    sync: async (handle) =>
      or(await step("sync"), async () => {
        await fileDisk.sync(handle)
        unsynced.delete(handle)
      }),
    write: async (handle, buffers, offset) => {
      const bytes = Buffer.concat(buffers)
      const dead = await step("write")
      // Only the step it dies at leaves something behind.
      if (dead && (power || steps.length > at + 1)) throw new Death()
      if (!unsynced.has(handle)) unsynced.set(handle, offset)
      await fileDisk.write(handle, [dead ? bytes.subarray(0, bytes.length >> 1) : bytes], offset)
      if (dead) throw new Death()
    }
  }
  return { disk, steps }
}

/**
 * A pipeline, its log, its sources and sinks, and a way to die at any crossing of the border between
 * them. Every call of the log and of a driver is two crossings, before and after; a life that is told
 * to die at the n-th stops there as SIGKILL would: nothing after it happens, nothing is cleaned up.
 *
 * @module
 */
import { Effect, Exit, Fiber, Layer, Result } from "effect"
import { decodeDefinition, encodeDefinition } from "../../events/Definition.ts"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import type { Driver } from "../../src/drivers/Driver.ts"
import { Drivers } from "../../src/drivers/Drivers.ts"
import {
  type Interpose,
  type MemoryCall,
  type MemoryHub,
  makeMemoryHub
} from "../../src/drivers/memory/MemoryHub.ts"
import { layerMemoryOn, type MemoryStore, makeMemoryStore } from "../../src/log/Memory.ts"
import { eventsOf, headsOf } from "../../src/log/MemoryStore.ts"
import { Pipelines } from "../../src/pipeline/Pipelines.ts"
import { type RunResult, runOnce } from "../../src/pipeline/runOnce.ts"

export interface World {
  readonly store: MemoryStore
  readonly hub: MemoryHub
  /** Drivers beside the memory driver. */
  readonly drivers: Array<Driver>
  /** Looks at every call of a driver that is let through; throws when an oracle is broken. */
  watch: (call: MemoryCall) => void
  /** Stands in the way of calls, as other traffic would: delays, late requests, failures. */
  meddle: Interpose
}

export const makeWorld = (fill: (hub: MemoryHub) => void): World => {
  const hub = makeMemoryHub()
  fill(hub)
  return { store: makeMemoryStore(), hub, drivers: [], watch: () => {}, meddle: () => Effect.void }
}

/** How a life ended: where it was killed, or with what the run came to. */
export type Life =
  | { readonly _tag: "Killed"; readonly at: string }
  | { readonly _tag: "Ended"; readonly result: RunResult; readonly crossings: number }

export interface LifeOptions {
  /** The crossing to die at, counted from 1; without it the life runs to its end. */
  readonly dieAt?: number
  /** Die at the first crossing of a driver that this says yes to. */
  readonly dieOn?: (call: MemoryCall) => boolean
  /** Die at the first crossing of the log with these events that this says yes to. */
  readonly dieOnAppend?: (types: ReadonlyArray<string>, moment: "before" | "after") => boolean
}

/** Starts a process on the world, runs the pipeline once, and lets it die where it was told to. */
export const live = async (world: World, definition: unknown, options: LifeOptions = {}): Promise<Life> => {
  let crossings = 0
  let dead = false
  let killed: (at: string) => void = () => {}
  const death = new Promise<string>((resolve) => {
    killed = resolve
  })
  const cross = (at: string, now: boolean): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (dead) return Effect.never
      crossings++
      if (!now && crossings !== options.dieAt) return Effect.void
      dead = true
      killed(`${crossings}: ${at}`)
      return Effect.never
    })
  world.hub.interpose((call) => {
    if (!dead) world.watch(call)
    const at = `${call.phase} ${call.operation} ${call.name}`
    return Effect.andThen(cross(at, options.dieOn?.(call) === true), world.meddle(call))
  })
  const log = layerMemoryOn(world.store, {
    fault: ({ events, moment, operation }) => {
      const types = events.map(({ type }) => type)
      const now = operation === "append" && options.dieOnAppend?.(types, moment) === true
      return cross(`${moment} ${operation} ${types.join(" ")}`, now)
    }
  })
  const layer = Pipelines.layerLocal.pipe(
    Layer.provide(Layer.mergeAll(log, Drivers.layer([world.hub.driver, ...world.drivers])))
  )
  const fiber = Effect.runFork(Effect.scoped(runOnce(request(definition))).pipe(Effect.provide(layer)))
  const ended = Effect.runPromise(Fiber.await(fiber))
  const first = await Promise.race([death, ended])
  if (typeof first === "string") {
    // The old process is gone: whatever of it is not stuck at a crossing is taken down.
    fiber.interruptUnsafe()
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    return { _tag: "Killed", at: first }
  }
  if (Exit.isFailure(first)) throw new Error(`the life failed: ${String(first.cause)}`)
  return { _tag: "Ended", result: first.value, crossings }
}

const request = (wire: unknown): Parameters<typeof runOnce>[0] => {
  const definition = decodeDefinition(wire)
  if (Result.isFailure(definition)) throw definition.failure
  const { name } = definition.success
  return {
    define: {
      name,
      description: "",
      text: "",
      settings: {},
      definition: encodeDefinition(definition.success) as never,
      findings: [],
      signature: JSON.stringify(wire),
      base: "/"
    },
    by: "test",
    reason: "test",
    abandon: false,
    stop: Effect.never
  }
}

/** The rows of the one pipeline of a world. */
export const rowsOf = (world: World): ReadonlyArray<StoredEvent> => {
  const stream = headsOf(world.store).find((head) => head.stream.startsWith("pipeline/"))?.stream
  return stream === undefined ? [] : eventsOf(world.store, stream)
}

export const eventsIn = (world: World): ReadonlyArray<PipelineEvent> =>
  rowsOf(world).map((row) => JSON.parse(row.payload) as PipelineEvent)

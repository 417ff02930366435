/**
 * Pipelines run on the memory driver with a registry of metrics of their own, and what it says.
 *
 * @module
 */
import { Effect, Layer, Metric } from "effect"
import { Drivers } from "../../src/drivers/Drivers.ts"
import { type MemoryHub, makeMemoryHub } from "../../src/drivers/memory/MemoryHub.ts"
import { type Fault, layerMemoryOn, type MemoryStore, makeMemoryStore } from "../../src/log/Memory.ts"
import { LiveRoster } from "../../src/pipeline/LiveRoster.ts"
import { Pipelines } from "../../src/pipeline/Pipelines.ts"
import { type RunRequest, runOnce } from "../../src/pipeline/runOnce.ts"

export interface World {
  readonly hub: MemoryHub
  readonly store: MemoryStore
  readonly registry: Metric.MetricRegistry
}

export const makeWorld = (): World => ({
  hub: makeMemoryHub(),
  store: makeMemoryStore(),
  registry: new Map()
})

/** A process: pipelines on the store, counting in the registry. */
export const inProcess = <A, E, R>(
  { hub, registry, store }: World,
  use: Effect.Effect<A, E, R>,
  fault?: Fault
) =>
  use.pipe(
    Effect.provide(
      Layer.merge(Pipelines.layerLocal, LiveRoster.layer).pipe(
        Layer.provideMerge(layerMemoryOn(store, { fault })),
        Layer.provide(Drivers.layer([hub.driver]))
      )
    ),
    Effect.provideService(Metric.MetricRegistry, registry)
  )

/** Defines and runs a pipeline once; `wire` is a definition in its wire form. */
export const runs = (wire: { readonly name: string }, options: Partial<RunRequest> = {}) =>
  runOnce({
    define: {
      ...{ name: wire.name, description: "", text: "", settings: {}, definition: { ...wire }, findings: [] },
      ...{ signature: JSON.stringify(wire), base: "/" }
    },
    ...{ by: "test", abandon: false, reason: "test", stop: Effect.never },
    ...options
  }).pipe(Effect.scoped)

/** Every series as `name{label="value"}` with its number; of a histogram how many it has seen, and their sum. */
export const seriesIn = ({ registry }: Pick<World, "registry">): Effect.Effect<Series> =>
  Effect.map(Metric.snapshot, (snapshots) => Object.fromEntries(snapshots.flatMap(numbersOf))).pipe(
    Effect.provideService(Metric.MetricRegistry, registry)
  )

export type Series = Readonly<Record<string, number>>

const numbersOf = (snapshot: Metric.Metric.Snapshot): ReadonlyArray<readonly [string, number]> => {
  const labels = Object.entries(snapshot.attributes ?? {}).map(([label, value]) => `${label}=${value}`)
  const key = `${snapshot.id.replace("millrace_", "")}{${labels.join(",")}}`
  switch (snapshot.type) {
    case "Histogram":
      return [
        [`${key}.count`, snapshot.state.count],
        [`${key}.sum`, snapshot.state.sum]
      ]
    case "Counter":
      return [[key, Number(snapshot.state.count)]]
    case "Gauge":
      return [[key, Number(snapshot.state.value)]]
    default:
      return [[key, Number.NaN]]
  }
}

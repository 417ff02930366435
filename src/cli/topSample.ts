/**
 * All pipelines and their figures at this instant, from a service or from a log.
 *
 * @module
 */
import { Clock, Effect } from "effect"
import * as Roster from "../../projections/Roster.ts"
import { isActive } from "../../projections/transitions.ts"
import type { SelectedPipeline } from "../api/PipelineResource.ts"
import type { Stats } from "../api/Stats.ts"
import { read } from "../log/ReadModel.ts"
import { rosterModel } from "../pipeline/LiveRoster.ts"
import { logPlace } from "./logPlace.ts"
import { isLeftBehind, ownerOf } from "./owner.ts"
import { Service } from "./Service.ts"
import type { Sample, Sampled } from "./topRows.ts"

/** Pipelines whose lag and watermark are asked for; of the others they are not known. */
const askedMost = 100
const atOnce = 8

/** Counts come with the list; lag and watermark are asked of those at work. */
export const sampleOfService = Effect.gen(function* () {
  const { client } = yield* Service
  const all = yield* client.pipelines.listPipelines({ query: { selector: "status" } })
  const at = yield* instant
  const working = all.filter(({ lifecycle }) => isActive(lifecycle)).slice(0, askedMost)
  const stats = yield* Effect.forEach(
    working,
    ({ name }) =>
      client.history.getStats({ params: { name } }).pipe(
        Effect.map((of) => [name, of] as const),
        // It may have been removed since; the next list says so.
        Effect.orElseSucceed(() => [name, undefined] as const)
      ),
    { concurrency: atOnce }
  )
  const byName = new Map(stats)
  return { at, pipelines: all.map((one) => served(one, byName.get(one.name))) } satisfies Sample
})

/** What the log says; how long a batch takes only who works on it knows. */
export const sampleOfLog = Effect.gen(function* () {
  const place = yield* logPlace
  const owner = place._tag === "Folder" ? yield* ownerOf(place.directory) : null
  const { state } = yield* read(rosterModel)
  const at = yield* instant
  const pipelines = Roster.list(state).map(
    ({ deployment, lifecycle, name, run }): Sampled => ({
      name,
      run: run?.id ?? null,
      lifecycle: lifecycle.value,
      status: deployment.value,
      read: run?.counts.read ?? 0,
      applied: sum(run?.counts.applied),
      deadLetters: run?.counts.lettered ?? 0,
      inFlight: run?.open ?? 0,
      lagMs: null,
      watermark: null,
      isLeftBehind: place._tag === "Folder" && isLeftBehind(lifecycle.value, owner)
    })
  )
  return { at, pipelines } satisfies Sample
})

/** Of a clock that is never set back. */
const instant = Clock.clockWith((clock) =>
  Effect.map(clock.monotonicTimeNanos, (nanos) => Number(nanos / 1000n) / 1000)
)

const served = (
  { deployment_status, lifecycle, name, progress, run }: SelectedPipeline,
  stats: Stats | undefined
): Sampled => ({
  name,
  run: run?.run ?? null,
  lifecycle,
  status: deployment_status,
  read: run?.read ?? 0,
  applied: sum(run?.applied),
  deadLetters: run?.dead_lettered ?? 0,
  inFlight: progress?.in_flight_batches ?? 0,
  lagMs: most(stats?.stages.map((of) => of.lag_ms_last)),
  watermark: earliest(stats?.sources.map((of) => of.watermark)),
  isLeftBehind: false
})

const sum = (counts: Readonly<Record<string, number>> | undefined): number =>
  Object.values(counts ?? {}).reduce((all, each) => all + each, 0)

const most = (values: ReadonlyArray<number> | undefined): number | null =>
  values === undefined || values.length === 0 ? null : Math.max(...values)

/** Of several sources the one that is behind the others, as far as they have one. */
const earliest = (values: ReadonlyArray<string | null> | undefined): string | null =>
  values?.filter((value) => value !== null).toSorted((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null

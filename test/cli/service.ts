/**
 * A service of the contract for tests of the command line: pipelines in memory, behind the real rim, that go
 * where they are wanted one step each time somebody looks.
 *
 * @module
 */
import { Effect, Exit, Layer, type Schema, Scope, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { Api } from "../../src/api/Api.ts"
import { Caller } from "../../src/api/Authorization.ts"
import type { DeadLetterJson } from "../../src/api/deadLetters.ts"
import { examplePipeline } from "../../src/api/examples.ts"
import { failed } from "../../src/api/failures.ts"
import type { PipelineResource } from "../../src/api/PipelineResource.ts"
import type { Stats } from "../../src/api/Stats.ts"
import { refuseStale } from "../../src/server/etag.ts"
import { eventFrames, eventsResponse } from "../../src/server/eventFrames.ts"
import { eventText } from "../../src/server/eventText.ts"
import { boundAddress, layerServer } from "../../src/server/Server.ts"
import { tailResponse } from "../../src/server/tail.ts"

export interface TestService {
  readonly url: string
  /** By name; a test puts there what it needs. */
  readonly pipelines: Map<string, PipelineResource>
  /** What was asked that changes something, in order: `start orders`, by whom. */
  readonly asked: Array<string>
  /** The log and the letters of every pipeline. */
  readonly events: Array<StoredEvent>
  readonly letters: Array<DeadLetterJson>
  /** What a tail is told, again and again, as it comes over the wire. */
  readonly frames: Array<string>
  /** Numbers of pipelines; without them all are 0. */
  readonly stats: Map<string, Partial<Stats>>
  /** Somebody else changes a pipeline as soon as it was looked at. */
  readonly rival: { isQuick: boolean }
  /** The state of every pipeline, now and ever; else what was asked for. */
  readonly past: { state?: Schema.Json }
  readonly close: () => Promise<void>
}

/** Serves until it is closed; `directory` is where its tokens are. */
export const startService = async (directory: string): Promise<TestService> => {
  const scope = Effect.runSync(Scope.make())
  const memory = {
    pipelines: new Map<string, PipelineResource>(),
    asked: [] as Array<string>,
    events: [] as Array<StoredEvent>,
    letters: [] as Array<DeadLetterJson>,
    frames: [] as Array<string>,
    stats: new Map<string, Partial<Stats>>(),
    rival: { isQuick: false },
    past: {}
  }
  const options = { host: "127.0.0.1", port: 0, directory, bounds: { drainMs: 100 } }
  const server = layerServer(options, layerHandlers(memory))
  const url = await Effect.runPromise(
    Layer.build(server).pipe(
      Effect.flatMap((context) => Effect.provide(boundAddress, context)),
      Scope.provide(scope)
    )
  )
  return { ...memory, url, close: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

/** A pipeline that is down. */
export const resource = (name: string, over: Partial<PipelineResource> = {}): PipelineResource => ({
  ...examplePipeline,
  name,
  id: `id-of-${name}`,
  description: "",
  deployment_status: "Shutdown",
  deployment_desired_status: "Shutdown",
  lifecycle: "Idle",
  ...over
})

type Memory = Omit<TestService, "url" | "close">
type Desired = PipelineResource["deployment_desired_status"]

const layerHandlers = (memory: Memory) => {
  const { asked, letters, pipelines, rival } = memory
  const find = (name: string) =>
    Effect.suspend(() => {
      const found = pipelines.get(name)
      return found === undefined
        ? Effect.fail(failed("UnknownPipelineName", `Unknown pipeline name '${name}'`, { name }))
        : Effect.succeed(found)
    })
  const note = (what: string) => Effect.map(Caller, ({ by }) => void asked.push(`${what} by ${by}`))
  const put = (pipeline: PipelineResource) => Effect.sync(() => void pipelines.set(pipeline.name, pipeline))
  const want = (verb: string, desired: Desired) =>
    Effect.fnUntraced(function* ({ params: { name } }: { readonly params: { readonly name: string } }) {
      const pipeline = yield* find(name)
      yield* note(`${verb} ${name}`)
      if (desired !== "Shutdown" && pipeline.deployment_status === "Failed") {
        const details = { suggestion: "shut it down first" }
        return yield* Effect.fail(failed("IllegalPipelineStateTransition", "It has failed", details))
      }
      yield* put({ ...pipeline, deployment_desired_status: desired })
    })
  /** On its way it is told as it was, and is one step further the next time. */
  const look = Effect.fnUntraced(function* (name: string) {
    const pipeline = yield* find(name)
    const { deployment_desired_status: wanted, deployment_status: status } = pipeline
    if (rival.isQuick) yield* put({ ...pipeline, version: pipeline.version + 1 })
    if (status === wanted || status === "Failed") return pipeline
    const step = wanted === "Shutdown" ? "ShuttingDown" : "Initializing"
    const next = { ...pipeline, deployment_status: status === step ? wanted : step } as PipelineResource
    yield* put(next)
    return next
  })

  return Layer.mergeAll(
    HttpApiBuilder.group(Api, "pipelines", (handlers) =>
      handlers.handleAll({
        listPipelines: () => Effect.succeed([...pipelines.values()]),
        getPipeline: ({ params }) => look(params.name),
        createPipeline: Effect.fnUntraced(function* ({ payload }) {
          yield* note(`create ${payload.name}`)
          const { description, name, program_code } = payload
          const made = resource(name, { program_code, description: description ?? "", version: 1 })
          yield* put(made)
          return made
        }),
        patchPipeline: Effect.fnUntraced(function* ({ headers, params, payload, query }) {
          const pipeline = yield* find(params.name)
          yield* note(`patch ${params.name}${query.abandon === true ? " (abandoning)" : ""}`)
          const stale = refuseStale(headers["if-match"], pipeline.version)
          if (stale !== undefined) return yield* Effect.fail(stale)
          if (pipeline.deployment_status !== "Shutdown") {
            return yield* Effect.fail(failed("CannotUpdateNonShutdownPipeline", "It is not shut down"))
          }
          if (payload.program_code?.includes("taken_by_a_run") === true) {
            return yield* Effect.fail(failed("UnfinishedRun", "A run is unfinished"))
          }
          const program_code = payload.program_code ?? pipeline.program_code
          const changed = { ...pipeline, program_code, version: pipeline.version + 1 }
          yield* put(changed)
          return changed
        }),
        putPipeline: () => Effect.die("no verb asks for this"),
        deletePipeline: () => Effect.die("no verb asks for this")
      })
    ),
    HttpApiBuilder.group(Api, "lifecycle", (handlers) =>
      handlers.handleAll({
        startPipeline: want("start", "Running"),
        pausePipeline: want("pause", "Paused"),
        shutdownPipeline: want("shutdown", "Shutdown"),
        triggerRun: Effect.fnUntraced(function* ({ params: { name }, payload }) {
          yield* find(name)
          yield* note(`trigger ${name} (${payload?.reason})`)
        }),
        checkpointPipeline: ({ params: { name } }) =>
          Effect.as(find(name), {
            version: 40,
            at: "2026-11-21T08:00:09.000Z",
            checkpoints: [{ source: "in", batch: 7, offset: 8000, position: { byte: 81 } }]
          }),
        replayPipeline: () => Effect.die("no verb asks for this")
      })
    ),
    layerHistory(find, memory),
    HttpApiBuilder.group(Api, "deadLetters", (handlers) =>
      handlers.handleAll({
        // Two to a page, whatever was asked for: a client has to go on.
        listDeadLetters: ({ query }) => {
          const from = letters.findIndex(({ id }) => id === query.after) + 1
          const page = letters.slice(from, from + 2)
          const next = from + 2 < letters.length ? (page.at(-1)?.id ?? null) : null
          return Effect.succeed({ dead_letters: page, total: letters.length, next })
        },
        getDeadLetter: ({ params }) => {
          const letter = letters.find(({ id }) => id === params.id)
          const story = { status: "standing" as const, reasons: [], history: [], discarded: null }
          return letter === undefined
            ? Effect.fail(failed("UnknownDeadLetter", "There is no such letter"))
            : Effect.succeed({ ...letter, ...story })
        },
        redriveDeadLetters: () => Effect.die("no verb asks for this"),
        getRedrive: () => Effect.die("no verb asks for this"),
        discardDeadLetters: () => Effect.die("no verb asks for this"),
        withdrawRedrives: () => Effect.die("no verb asks for this")
      })
    ),
    HttpApiBuilder.group(Api, "ingress", (handlers) =>
      handlers.handleAll({
        pushRecords: () => Effect.die("no verb asks for this"),
        getCompletionStatus: () => Effect.die("no verb asks for this")
      })
    ),
    HttpApiBuilder.group(Api, "drivers", (handlers) =>
      handlers.handleAll({ listDrivers: () => Effect.succeed({ drivers: [] }) })
    ),
    HttpApiBuilder.group(Api, "service", (handlers) =>
      handlers.handleAll({
        getHealth: () => Effect.succeed({ status: "ok" as const }),
        getReadiness: () => Effect.succeed({ status: "ok" as const }),
        getMetrics: () => Effect.succeed("up 1\n")
      })
    )
  )
}

type Find = (
  name: string
) => Effect.Effect<PipelineResource, ReturnType<typeof failed<"UnknownPipelineName">>>

const layerHistory = (find: Find, { events, frames, past, stats }: Memory) =>
  HttpApiBuilder.group(Api, "history", (handlers) =>
    handlers.handleAll({
      getStats: ({ params }) =>
        Effect.map(find(params.name), ({ deployment_status, lifecycle }) => ({
          run: null,
          lifecycle,
          deployment_status,
          totals: { read: 0, delivered: 0, filtered: 0, unrouted: 0, dead_lettered: 0, batches: 0 },
          watermark: null,
          in_flight: { batches: 0, records: 0 },
          records_per_second: 0,
          stages: [],
          sources: [],
          ...stats.get(params.name)
        })),
      tailPipeline: ({ params }) =>
        Effect.flatMap(find(params.name), () => tailResponse(Stream.fromIterable(frames))),
      getEvents: ({ headers, query, request }) => {
        const after = headers["last-event-id"] ?? query.after ?? 0
        if (request.headers.accept?.includes("text/event-stream") === true) {
          const types = new Set(query.type)
          return eventsResponse(eventFrames(Stream.fromIterable(events), { after, types }))
        }
        // Two to a page.
        const page = events.filter(({ version }) => version > after).slice(0, 2)
        const next = page.length === 2 ? page[1]!.version : null
        return Effect.succeed({ events: page.map((row) => JSON.parse(eventText(row))), next })
      },
      getState: ({ params, query }) =>
        Effect.map(find(params.name), ({ name }) => ({
          version: query.version ?? 12,
          at: query.at ?? "2026-11-21T08:00:02.000Z",
          state: past.state ?? { id: name, asked: { ...query } }
        })),
      getRuns: () => Effect.succeed({ runs: [] }),
      getCheckpoints: () => Effect.succeed({ checkpoints: [] }),
      getSchedule: () => Effect.die("no verb asks for this"),
      getDiff: () => Effect.die("no verb asks for this"),
      getWhy: () => Effect.die("no verb asks for this")
    })
  )

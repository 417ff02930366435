/**
 * Records over HTTP: taken whole and durably, refused with the line, and followed by their token.
 *
 * @module
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, type Scope } from "effect"
import type { PipelineState } from "../../projections/PipelineState.ts"
import { Drivers } from "../../src/drivers/Drivers.ts"
import { Ingress, makeIngress } from "../../src/drivers/http/Ingress.ts"
import { type MemoryHub, makeMemoryHub } from "../../src/drivers/memory/MemoryHub.ts"
import { layerMemoryOn, makeMemoryStore } from "../../src/log/Memory.ts"
import { awaitState } from "../../src/pipeline/awaitState.ts"
import { type HostedPipeline, Pipelines } from "../../src/pipeline/Pipelines.ts"
import { define } from "../../src/pipeline/runOnce.ts"
import { layerIngress } from "../../src/server/handleIngress.ts"
import { lines } from "../drivers/http/pushing.ts"
import { tempFolder } from "../drivers/support.ts"
import { ask, type Serving, serving, stub } from "./serving.ts"

const wire = {
  name: "flights",
  schedule: "continuous",
  stages: {
    pushed: { source: { use: "http" } },
    out: { from: "pushed", sink: { use: "memory", name: "out" } }
  },
  runtime: { max_buffering: "0s", checkpoint_interval: "0s" }
}

interface Service {
  readonly at: Serving
  readonly hub: MemoryHub
  readonly pipeline: HostedPipeline
  readonly want: (desired: PipelineState["desired"]) => Effect.Effect<unknown, unknown>
  readonly until: (deployment: PipelineState["deployment"]) => Effect.Effect<PipelineState, unknown>
}

/** The service over a log and a folder that outlive it. */
const inService = <A, E>(
  store: ReturnType<typeof makeMemoryStore>,
  folder: string,
  use: (service: Service) => Effect.Effect<A, E, Scope.Scope>
) =>
  Effect.gen(function* () {
    const hub = makeMemoryHub()
    const ingress = yield* makeIngress({ directory: join(folder, "ingress") })
    const drivers = Drivers.layer([hub.driver, ingress.driver])
    const context = yield* Layer.build(
      Layer.provideMerge(Pipelines.layerLocal, Layer.merge(layerMemoryOn(store), drivers))
    )
    const given = Layer.succeedContext(Context.add(context, Ingress, ingress))
    const at = yield* serving({ ...stub(), ingress: Layer.provide(layerIngress, given) as never })
    const definition = {
      ...{ name: "flights", description: "", text: "", settings: {}, definition: wire, findings: [] },
      ...{ signature: "one", base: "/" }
    }
    const pipeline = yield* Effect.provideContext(
      define({ define: definition, by: "test", abandon: false }),
      context
    )
    yield* pipeline.adopt
    return yield* use({
      ...{ at, hub, pipeline },
      want: (desired) => pipeline.actor.send({ _tag: "SetDesired", desired, reason: "test" }, "test"),
      until: (deployment) => awaitState(pipeline.actor, (state) => state.deployment === deployment)
    })
  }).pipe(Effect.scoped)

const push = (at: Serving, body: string, query = "", headers: Record<string, string> = {}) =>
  ask(at, `/v0/pipelines/flights/ingress/pushed${query}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/x-ndjson", ...headers }
  })

const status = (at: Serving, token: string) =>
  ask(at, `/v0/pipelines/flights/completion_status?token=${encodeURIComponent(token)}`)

describe("ingress", () => {
  it.live(
    "takes records of a running pipeline, forced ones of a paused one, and says when they are through",
    () =>
      Effect.gen(function* () {
        const store = makeMemoryStore()
        const folder = yield* tempFolder
        const left = yield* inService(store, folder, ({ at, hub, pipeline, until, want }) =>
          Effect.gen(function* () {
            const early = yield* push(at, lines(0, 1))
            assert.deepStrictEqual(
              [early.status, early.body.error_code],
              [400, "PipelineInteractionNotDeployed"]
            )
            yield* want("Running")
            yield* until("Running")
            const first = yield* push(at, lines(0, 3), "?format=json", { "idempotency-key": "a" })
            assert.strictEqual(first.status, 200)
            const again = yield* push(at, lines(0, 3), "?format=json", { "idempotency-key": "a" })
            assert.deepStrictEqual(again.body, first.body)
            const other = yield* push(at, lines(0, 4), "?format=json", { "idempotency-key": "a" })
            assert.deepStrictEqual([other.status, other.body.error_code], [422, "IdempotencyKeyReused"])
            yield* awaitState(pipeline.actor, ({ run }) => run?.sources.pushed?.checkpoint?.offset === 3)
            assert.deepStrictEqual((yield* status(at, first.body.token)).body, { status: "complete" })
            assert.deepStrictEqual(hub.sink("out").records, [{ n: 0 }, { n: 1 }, { n: 2 }])
            yield* want("Paused")
            yield* until("Paused")
            assert.strictEqual((yield* push(at, lines(3, 5))).status, 400)
            const forced = yield* push(at, lines(3, 5), "?force=true")
            assert.deepStrictEqual((yield* status(at, forced.body.token)).body, { status: "inprogress" })
            return { first: first.body.token as string, forced: forced.body.token as string }
          })
        )
        yield* inService(store, folder, ({ at, hub, pipeline, want }) =>
          Effect.gen(function* () {
            assert.deepStrictEqual((yield* status(at, left.first)).body, { status: "complete" })
            assert.deepStrictEqual((yield* status(at, left.forced)).body, { status: "inprogress" })
            yield* want("Running")
            yield* awaitState(pipeline.actor, ({ run }) => run?.sources.pushed?.checkpoint?.offset === 5)
            assert.deepStrictEqual((yield* status(at, left.forced)).body, { status: "complete" })
            assert.deepStrictEqual(hub.sink("out").records, [{ n: 3 }, { n: 4 }])
          })
        )
      })
  )

  it.live("says no in the words of the contract", () =>
    Effect.gen(function* () {
      yield* inService(makeMemoryStore(), yield* tempFolder, ({ at, until, want }) =>
        Effect.gen(function* () {
          yield* want("Running")
          yield* until("Running")
          const broken = yield* push(at, '{"n":1}\n{"n"\n')
          assert.deepStrictEqual([broken.status, broken.body.error_code], [400, "InvalidIngress"])
          assert.deepStrictEqual(
            [broken.body.details.line, broken.body.details.reason],
            [2, "malformed_json"]
          )
          const told = async (
            answer: Effect.Effect<{ readonly status: number; readonly body: { error_code: string } }>
          ) => {
            const { body, status } = await Effect.runPromise(answer)
            return `${status} ${body.error_code}`
          }
          const answers = yield* Effect.promise(() =>
            Promise.all([
              told(push(at, "1\n", "?update_format=insert_delete")),
              told(push(at, "1\n", "?format=csv")),
              told(ask(at, "/v0/pipelines/flight/ingress/pushed", { method: "POST", body: "1" })),
              told(ask(at, "/v0/pipelines/flights/ingress/out", { method: "POST", body: "1" })),
              told(status(at, "pushed.0.000000000000")),
              told(push(at, "x".repeat(16 * 1024 * 1024 + 1)))
            ])
          )
          assert.deepStrictEqual(answers, [
            ...["400 InvalidIngress", "400 InvalidIngress", "404 UnknownPipelineName", "404 UnknownStage"],
            ...["404 UnknownCompletionToken", "413 PayloadTooLarge"]
          ])
        })
      )
    })
  )
})

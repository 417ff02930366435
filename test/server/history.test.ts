import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import { awaitState } from "../../src/pipeline/awaitState.ts"
import { Pipelines } from "../../src/pipeline/Pipelines.ts"
import { define, shutDown } from "../../src/pipeline/runOnce.ts"
import {
  applied,
  at,
  branch,
  completed,
  crashed,
  defined,
  letter,
  running,
  sealed
} from "../fixtures/events.ts"
import { ask } from "./serving.ts"
import { definition, name, servingHistory } from "./servingHistory.ts"

const params = { name }

/** Two runs; in the first a batch with a letter for each branch. */
const past: ReadonlyArray<PipelineEvent> = [
  ...running,
  sealed(0, { branches: { a: branch(9, 1), b: branch(9, 1) }, letters: [letter(3, "a"), letter(7, "b")] }),
  applied("a", 0, { records: 9 }),
  applied("b", 0, { records: 9, lagMs: 20, checkpoint: at(0) }),
  completed,
  { _tag: "Triggered", reason: "schedule", tick: "2026-11-21T08:00:00.000Z" },
  { _tag: "RunStarted", run: "r2", signature: "sig-1", from: [] },
  { _tag: "TickSkipped", tick: "2026-11-21T09:00:00.000Z", reason: "overlap" },
  sealed(1, { run: "r2", offset: 0 })
]

describe("the past over HTTP", () => {
  it.live("runs, checkpoints and ticks, the newest first", () =>
    Effect.gen(function* () {
      const { append, client } = yield* servingHistory()
      yield* append(past)
      const { runs } = yield* client.history.getRuns({ params, query: {} })
      assert.deepEqual(
        runs.map(({ outcome, read, run }) => [run, outcome, read]),
        [
          ["r2", "Running", 10],
          ["r1", "Completed", 10]
        ]
      )
      assert.deepInclude(runs[1], { applied: { a: 9, b: 9 }, started_at: "1970-01-01T00:00:03.000Z" })
      const { checkpoints } = yield* client.history.getCheckpoints({ params, query: { limit: 1 } })
      assert.deepEqual(checkpoints, [
        { version: 6, at: "1970-01-01T00:00:06.000Z", run: "r1", source: "in", batch: 0, offset: 10 }
      ])
      // What was read once is not read again, and what came since is there.
      yield* append([{ ...crashed, run: "r2" } as PipelineEvent])
      const schedule = yield* client.history.getSchedule({ params, query: {} })
      assert.deepEqual(
        schedule.past.map(({ outcome, reason, run_outcome, tick }) => [tick, outcome, reason, run_outcome]),
        [
          ["2026-11-21T09:00:00.000Z", "skipped", "overlap", null],
          ["2026-11-21T08:00:00.000Z", "triggered", "schedule", "Crashed"]
        ]
      )
    })
  )

  it.live("numbers of the run, from the log", () =>
    Effect.gen(function* () {
      const { append, client } = yield* servingHistory()
      assert.deepInclude(yield* client.history.getStats({ params }), { run: null, lifecycle: "Idle" })
      yield* append(past)
      const stats = yield* client.history.getStats({ params })
      assert.deepInclude(stats, { run: "r2", lifecycle: "Running", in_flight: { batches: 1, records: 10 } })
      assert.deepEqual(stats.sources, [
        { source: "in", sealed_offset: 10, settled_offset: 0, watermark: null, progress: null }
      ])
    })
  )

  it.live("states, differences and causes", () =>
    Effect.gen(function* () {
      const { append, client } = yield* servingHistory()
      yield* append(past)
      const fourth = yield* client.history.getState({ params, query: { version: 4 } })
      assert.deepEqual(fourth.state, JSON.parse(JSON.stringify(PipelineState.replay(past.slice(0, 4)))))
      const byTime = yield* client.history.getState({ params, query: { at: "1970-01-01T00:00:04.999Z" } })
      assert.deepEqual(byTime, fourth)
      const now = yield* client.history.getState({ params, query: {} })
      assert.equal(now.version, past.length)
      const diff = yield* client.history.getDiff({ params, query: { from: "2", to: "1970-01-01T00:00:03Z" } })
      assert.deepInclude(diff.differences, { path: "/lifecycle", before: "Triggered", after: "Running" })
      assert.deepEqual(diff.to, { version: 3, at: "1970-01-01T00:00:03.000Z" })
      const why = yield* client.history.getWhy({ params })
      assert.deepEqual(
        why.lifecycle.because.map(({ says, version }) => [version, says]),
        [
          [8, "triggered by tick 2026-11-21T08:00:00.000Z: schedule"],
          [9, "run r2 started"]
        ]
      )
    })
  )

  it.live("dead letters, page by page", () =>
    Effect.gen(function* () {
      const { append, client } = yield* servingHistory()
      yield* append(past)
      const list = (query: Record<string, unknown>) =>
        Effect.map(client.deadLetters.listDeadLetters({ params, query }), (page) => {
          if (!("dead_letters" in page)) throw new Error("a page was asked for")
          return page
        })
      const first = yield* list({ limit: 1 })
      assert.deepInclude(first, { total: 2, next: "0.0.3" })
      assert.deepInclude(first.dead_letters[0], { id: "0.0.3", branches: ["a"], run: "r1", attempts: 1 })
      const second = yield* list({ limit: 1, after: first.next ?? "" })
      assert.deepEqual([second.dead_letters[0]?.id, second.next], ["0.0.7", null])
      const empty = { dead_letters: [], total: 0, next: null }
      for (const query of [{ code: "other" }, { source: "elsewhere" }, { run: "r9" }, { stage: "no" }]) {
        assert.deepEqual<unknown>(yield* list(query), empty)
      }
      assert.equal((yield* list({ source: "in", run: "r1" })).total, 2)
      const grouped = yield* client.deadLetters.listDeadLetters({ params, query: { group_by: "cause" } })
      assert.deepInclude(grouped, { total: 2, omitted: 0 })
    })
  )

  it.live("a page of events, as the log has them", () =>
    Effect.gen(function* () {
      const { append, rows, server } = yield* servingHistory()
      yield* append(past)
      const path = `/v0/pipelines/${name}/events`
      const { body, headers } = yield* ask(server, `${path}?after=1&limit=2`)
      assert.equal(headers.get("content-type"), "application/json")
      assert.deepEqual(
        [body.events.map(({ version }: { readonly version: number }) => version), body.next],
        [[2, 3], 3]
      )
      assert.equal(body.events[0].hash, rows()[1]?.hash)
      const all = yield* ask(server, `${path}?limit=${past.length}`)
      assert.isNull(all.body.next)
      for (const query of ["type=Completed", "type=Completed&type=Crashed"]) {
        const some = yield* ask(server, `${path}?${query}`)
        assert.deepEqual(
          some.body.events.map(({ type }: { readonly type: string }) => type),
          ["Completed"]
        )
      }
    })
  )

  it.live("refuses what it cannot answer, and says what to do", () =>
    Effect.gen(function* () {
      const { append, server } = yield* servingHistory()
      yield* append([defined])
      const refused = (path: string) =>
        Effect.map(ask(server, `/v0/pipelines/${path}`), ({ body, status }) => [
          status,
          body.error_code,
          body.details.suggestion ?? body.details.last
        ])
      assert.deepEqual(yield* refused("odrers/runs"), [404, "UnknownPipelineName", "did you mean orders?"])
      assert.deepEqual(yield* refused("orders/state?version=9"), [404, "UnknownVersion", 1])
      assert.deepEqual((yield* refused("orders/state?version=1&at=2026-01-01T00:00:00Z")).slice(0, 2), [
        400,
        "BadRequest"
      ])
      assert.deepEqual((yield* refused("orders/state?at=soon")).slice(0, 2), [400, "BadRequest"])
      assert.deepEqual(yield* refused("orders/events?type=Complete"), [
        400,
        "BadRequest",
        "did you mean Completed?"
      ])
      assert.deepEqual((yield* refused("orders/dead_letters?after=first")).slice(0, 2), [400, "BadRequest"])
      assert.deepEqual((yield* refused("orders/dead_letters?limit=1001")).slice(0, 2), [400, "BadRequest"])
    })
  )

  it.live("wakes no actor, and shows how far the worker of one at work is", () =>
    Effect.gen(function* () {
      const { client, epoch, hub, id, onEngine, server } = yield* servingHistory()
      for (const what of [
        "stats",
        "runs",
        "checkpoints",
        "schedule",
        "state",
        "why",
        "dead_letters",
        "events"
      ]) {
        assert.equal((yield* ask(server, `/v0/pipelines/${name}/${what}`)).status, 200, what)
      }
      // Nobody has claimed its stream.
      assert.equal(epoch(), undefined)
      yield* Effect.scoped(onEngine(define({ define: definition, by: "test", abandon: false })))
      hub.source(
        "in",
        [1, 2, 3, 4].map((n) => ({ n }))
      )
      const open = yield* Deferred.make<void>()
      hub.interpose(({ operation, ordinal, phase }) =>
        operation === "sink.write" && phase === "before" && ordinal === 0 ? Deferred.await(open) : Effect.void
      )
      yield* Effect.scoped(
        onEngine(
          Effect.gen(function* () {
            const pipelines = yield* Pipelines
            const { actor } = yield* pipelines.get(id)
            yield* actor.send({ _tag: "Run", reason: "test" }, "alice")
            yield* pipelines.adopt(id)
            yield* awaitState(actor, ({ open }) => open.length === 2)
            const stats = yield* client.history.getStats({ params })
            assert.deepEqual(stats.in_flight, { batches: 2, records: 4 })
            assert.deepInclude(stats.sources[0], { source: "in", sealed_offset: 4, settled_offset: 0 })
            assert.deepEqual(stats.sources[0]?.progress, { done: 4, total: 4, unit: "rows" })
            yield* Deferred.succeed(open, undefined)
            yield* shutDown(actor, "test", "done")
          })
        )
      )
    })
  )
})

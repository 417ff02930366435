/**
 * Laws of the fold the actor lives by: over anything a log could hold, and over what it will hold.
 *
 * @module
 */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { KeysDelta, SealedTime } from "../../events/BatchMemory.ts"
import { LetterNote, PipelineEvent, RestoredBatch } from "../../events/PipelineEvent.ts"
import { decodePipelineEvent } from "../../events/upcast.ts"
import { Measured, WindowOfGroup, WindowsDelta } from "../../events/WindowsDelta.ts"
import { evolve, foldVersion, initial, type PipelineState, replay } from "../../projections/PipelineState.ts"
import * as Events from "../fixtures/events.ts"
import { canonical, sha256, storedRows } from "../fixtures/rows.ts"

const { applied, branch, letter, running, sealed } = Events

/** As the log gives it back. */
const stored = <A>(value: A): A => JSON.parse(JSON.stringify(value))

/** Names and numbers made few, so that events of arbitrary histories meet each other. */
const crowded = (event: PipelineEvent): PipelineEvent =>
  JSON.parse(JSON.stringify(event), (key, value: unknown) => {
    if (typeof value === "number" && /^(batch|attempt|generation|offset|count|records|forget)$/.test(key)) {
      return Math.abs(value) % 4
    }
    if (typeof value === "string" && (key === "stage" || key === "source"))
      return value.length % 2 ? "a" : "b"
    if (key === "branches" && value !== null && !Array.isArray(value)) {
      const names = ["a", "b", "dead_letters"]
      return Object.fromEntries(Object.values(value as object).map((of, index) => [names[index % 3], of]))
    }
    return value
  })

const { BatchSealed, RunSetBack, ...plain } = PipelineEvent.cases
/** A batch is deep, and so is a memory: many of them in every event would take a minute to make up. */
const few = <A, I>(item: Schema.Codec<A, I>) => Schema.Array(item).check(Schema.isMaxLength(2))
const windows = few(Schema.Struct({ ...WindowOfGroup.fields, made: few(Measured) }))
const steps = Schema.Struct({
  add: Schema.optionalKey(Schema.Struct({ ...WindowsDelta.fields, windows })),
  close: Schema.optionalKey(Schema.Finite)
})
const stages = Schema.Struct({
  a: Schema.optionalKey(KeysDelta),
  b: Schema.optionalKey(steps),
  c: Schema.optionalKey(Schema.Union([KeysDelta, steps]))
})
const left = { time: Schema.optionalKey(SealedTime), memory: Schema.optionalKey(stages) }
const notes = Schema.Struct({ 1: few(LetterNote), 2: Schema.optionalKey(few(LetterNote)) })
const withFewBatches = Schema.Struct({
  ...RunSetBack.fields,
  open: few(Schema.Struct({ ...RestoredBatch.fields, notes: Schema.optionalKey(notes) })),
  memory: Schema.optionalKey(
    Schema.Struct({
      time: Schema.NullOr(SealedTime),
      stages,
      later: few(Schema.Struct({ batch: Schema.Int, ...left }))
    })
  )
})
const withLittleMemory = Schema.Struct({ ...BatchSealed.fields, ...left })
const Histories = Schema.Array(Schema.Union([...Object.values(plain), withLittleMemory, withFewBatches]))
const runs = { arbitrary: { runs: 300, size: 30 } }

describe("over any events at all", () => {
  it.prop(
    "it is total, and its state is plain JSON",
    [Histories],
    ([events]) => {
      for (const history of [stored(events), events.map(crowded)]) {
        const state = replay(history)
        assert.deepStrictEqual(stored(state), state)
      }
    },
    runs
  )

  it.prop(
    "the same history gives the same state",
    [Histories],
    ([events]) => {
      const history = events.map(crowded)
      assert.strictEqual(JSON.stringify(replay(history)), JSON.stringify(replay(history)))
    },
    runs
  )

  it.prop(
    "a snapshot and what happened since is the whole",
    [Histories, Schema.Int],
    ([events, n]) => {
      const history = events.map(crowded)
      const cut = Math.abs(n) % (history.length + 1)
      const snapshot = stored(replay(history.slice(0, cut)))
      assert.deepStrictEqual(replay(history.slice(cut), snapshot), replay(history))
    },
    runs
  )

  it.prop(
    "nothing given to it is changed",
    [Histories],
    ([events]) => {
      const history = events.map(crowded)
      const text = JSON.stringify(history)
      let state: PipelineState = initial
      for (const event of history) {
        const before = JSON.stringify(state)
        const next = evolve(state, event)
        assert.strictEqual(JSON.stringify(state), before)
        state = next
      }
      assert.strictEqual(JSON.stringify(history), text)
    },
    runs
  )

  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    it(`a stage may be called ${name} (n8n #23088)`, () => {
      const branches = Object.fromEntries([[name, branch(9, 1)]])
      const one = sealed(0, { source: name, branches, letters: [letter(3, name)] })
      const state = replay([...running, one, applied(name, 0)])
      assert.deepStrictEqual(Object.entries(state.run!.counts.applied), [[name, 9]])
      const checkpoint = { source: name, batch: 0, offset: 10, position: { line: 10 } }
      const sources = Object.entries(state.run!.sources).map(([source, of]) => [source, of.checkpoint])
      assert.deepStrictEqual(sources, [[name, checkpoint]])
    })
  }
})

describe("what it keeps", () => {
  it("only the contiguous prefix moves the checkpoint (yugabyte #33126)", () => {
    const later = [1, 2].flatMap((batch) => [applied("a", batch), applied("b", batch)])
    const state = replay([...running, sealed(0), sealed(1), sealed(2), applied("a", 0), ...later])
    assert.isNull(state.run!.sources.in!.checkpoint)
    assert.include(replay([applied("b", 0)], state).run!.sources.in!.checkpoint, { batch: 2, offset: 30 })
  })
  it("a position moves over whole batches only (Debezium #7945)", () => {
    const half = replay([...running, sealed(0), applied("a", 0)])
    assert.deepInclude(half.run!.sources.in, {
      checkpoint: null,
      sealed: { position: { line: 10 }, offset: 10 }
    })
  })
  it("the first winner stays the winner", () => {
    const fewer = sealed(0, { attempt: 2, branches: { a: branch(4) } })
    const state = replay([...running, sealed(0), fewer, applied("a", 0), Events.suppressed("a", 0, 2)])
    assert.deepInclude(state.run!.counts.applied, { a: 10 })
  })
  it("one source does not wait for another", () => {
    const other = sealed(1, { source: "in2", offset: 0, branches: { b: branch(10) } })
    const state = replay([...running, sealed(0), other, applied("b", 1)])
    assert.include(state.run!.sources.in2!.checkpoint, { batch: 1, offset: 10 })
    assert.deepStrictEqual(
      state.open.map(({ batch }) => batch),
      [0]
    )
  })
  it("boundaries of what is owed are in the state, not in the source (Feldera #6566)", () => {
    const state = replay([...running, sealed(0), sealed(1), Events.crashed, Events.replayed])
    assert.deepStrictEqual(
      state.open.map(({ count, digest, offset, range }) => ({ count, digest, offset, range })),
      [0, 1].map((batch) => {
        const { count, digest, offset, range } = sealed(batch)
        return { count, digest, offset, range }
      })
    )
  })
  it("a failure keeps its reason and its place (Feldera #2457, Airbyte #2627)", () => {
    const state = replay([...running, sealed(0), applied("a", 0), applied("b", 0), Events.failed])
    assert.deepStrictEqual(state.run!.failure, Events.reason)
    assert.include(state.run!.sources.in!.checkpoint, { batch: 0 })
    assert.deepStrictEqual(replay(Events.deploymentHistory.Failed).deploymentError, Events.reason)
  })
  it("the first new batch ends a replay, an owed one does not", () => {
    const past = [...running, sealed(0), Events.crashed, Events.replayed]
    const again = sealed(0, { attempt: 2, branches: { a: branch(10) } })
    assert.strictEqual(replay([...past, again]).lifecycle, "Replaying")
    assert.strictEqual(replay([...past, again, sealed(1)]).lifecycle, "Running")
  })
  it("what an abandoned run owed is owed no more, and ordinals go on", () => {
    const next: PipelineEvent = { ...Events.runStarted, run: "r2" } as PipelineEvent
    const state = replay([...running, sealed(0), Events.crashed, Events.givenUp, Events.triggered, next])
    assert.deepInclude(state, { open: [], nextBatch: 1 })
    assert.deepStrictEqual(state.run!.sources, {})
  })
})

describe("the ring of the dead-letter threshold", () => {
  const nacks = (...events: ReadonlyArray<PipelineEvent>) =>
    replay([...running, ...events]).run!.sources.in!.nacks
  const long = { count: 100, branches: { a: branch(99, 1, 100), b: branch(99, 1, 100) } }
  const next = (batch: number, ...offsets: ReadonlyArray<number>) =>
    sealed(batch, {
      ...long,
      offset: batch * 100,
      letters: offsets.map((offset) => letter(offset, "a", "b"))
    })

  it("holds what the window can still see", () =>
    assert.deepStrictEqual(nacks(next(0, 3, 99), next(1, 100, 150)), [100, 150]))
  it("counts a record once, however often it is sealed", () =>
    assert.deepStrictEqual(nacks(next(0, 3), { ...next(0, 3), attempt: 2 }), [3]))
  it("survives a crash and is empty after a failure", () => {
    assert.deepStrictEqual(nacks(next(0, 3), Events.crashed, Events.replayed), [3])
    assert.deepStrictEqual(nacks(next(0, 3), Events.failed, Events.replayed), [])
  })
  it("is in source order, also when an older batch is sealed again later", () => {
    const first = sealed(0, { letters: [] })
    const refused = sealed(0, { attempt: 2, branches: { a: branch(9, 1) }, letters: [letter(5, "a")] })
    assert.deepStrictEqual(nacks(first, sealed(1, { letters: [letter(12, "b")] }), refused), [5, 12])
  })
})

describe("the canonical history", () => {
  it("gives the states it always gave, or the fold has another version", () => {
    const recorded = JSON.parse(
      readFileSync(new URL("../fixtures/history-1.fold.json", import.meta.url), "utf8")
    )
    const states: Array<string> = []
    let state: PipelineState = initial
    for (const row of storedRows("history-1.ndjson")) {
      state = evolve(state, Result.getOrThrow(decodePipelineEvent(row)))
      states.push(canonical(state))
    }
    const found = { foldVersion, states: sha256(states.join("\n")) }
    assert.deepStrictEqual(
      found,
      recorded,
      found.foldVersion === recorded.foldVersion
        ? "evolve gives other states for the same events: snapshots saved by the release before would be " +
            "taken for today's. Raise foldVersion in projections/PipelineState.ts, then record the new pair " +
            `in test/fixtures/history-1.fold.json: ${JSON.stringify(found)}`
        : `foldVersion has changed: record ${JSON.stringify(found)} in test/fixtures/history-1.fold.json`
    )
  })
})

/**
 * What may be recorded of a run's batches: the rules of the batch protocol the log can check itself.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import { lettersDue } from "../../projections/LettersDue.ts"
import { owedBranches } from "../../projections/OpenBatch.ts"
import { checkpoints, evolve, replay } from "../../projections/PipelineState.ts"
import type { JournalEntry } from "../../src/flow/run/Journal.ts"
import { decide } from "../../src/pipeline/decide.ts"
import * as Events from "../fixtures/events.ts"
import { given } from "./given.ts"

const { applied, branch, holds, letter, running, seal, sealed, suppressed } = Events
const resumed = [Events.crashed, Events.replayed]

/** The state after an entry that must be taken. */
const stateAfter = (past: ReadonlyArray<PipelineEvent>, entry: JournalEntry) => {
  const state = replay(past)
  return Result.getOrThrow(decide({ _tag: "Record", entry }, state)).reduce(evolve, state)
}

describe("sealing a new batch", () => {
  it("names the run and the generation", () =>
    given(...running)
      .whenRecording({ seals: [seal(0)] })
      .then(sealed(0)))
  it("several go into one append, each after the one before", () =>
    given(...running)
      .whenRecording({ seals: [seal(0), seal(1), seal(2)] })
      .then(sealed(0), sealed(1), sealed(2)))

  const wrong: Readonly<Record<string, ReturnType<typeof seal>>> = {
    "an ordinal is left out": seal(2, { offset: 10 }),
    "an ordinal comes again": seal(0),
    "it is not a first attempt": seal(1, { attempt: 2 }),
    "records are left out": seal(1, { offset: 11, range: { from: { line: 10 }, to: { line: 21 } } }),
    "records come again": seal(1, { offset: 9 }),
    "its range begins elsewhere": seal(1, { range: { from: { line: 12 }, to: { line: 20 } } }),
    "its range begins at the beginning": seal(1, { range: { from: null, to: { line: 20 } } })
  }
  for (const [why, next] of Object.entries(wrong)) {
    it(`is refused when ${why}`, () =>
      given(...running, sealed(0), applied("a", 0), applied("b", 0))
        .whenRecording({ seals: [next] })
        .thenRejected("batch_out_of_order"))
  }

  it("refuses the whole entry for one wrong seal", () =>
    given(...running)
      .whenRecording({ seals: [seal(0), seal(2)] })
      .thenRejected("batch_out_of_order"))
  it("each source has offsets of its own", () => {
    const other = { source: "in2", offset: 0, range: { from: null, to: { line: 3 } } }
    given(...running, sealed(0))
      .whenRecording({ seals: [seal(1, other)] })
      .then(sealed(1, other))
  })
  it("ordinals go on in the next run", () => {
    const again = [Events.completed, Events.triggered, { ...Events.runStarted, run: "r2" } as PipelineEvent]
    const past = [...running, sealed(0), applied("a", 0), applied("b", 0), ...again]
    given(...past)
      .whenRecording({ seals: [seal(0)] })
      .thenRejected("batch_out_of_order")
    given(...past)
      .whenRecording({ seals: [seal(1, { offset: 0 })] })
      .then(sealed(1, { offset: 0, run: "r2" }))
  })
})

describe("invariant 6: the sums agree", () => {
  const off = (changes: object) => seal(0, { branches: { a: branch(10), b: { ...branch(10), ...changes } } })
  for (const [of, changes] of Object.entries({
    delivered: { delivered: 9 },
    filtered: { filtered: 1 },
    unrouted: { unrouted: 1 },
    lettered: { lettered: 1 }
  })) {
    it(`${of} of a branch`, () =>
      given(...running)
        .whenRecording({ seals: [off(changes)] })
        .thenRejected("sums_disagree"))
  }
  it("the totals, which the run is counted by", () => {
    const totals = { delivered: 9, filtered: 0, unrouted: 0, lettered: 0 }
    given(...running)
      .whenRecording({ seals: [seal(0, { totals })] })
      .thenRejected("sums_disagree")
  })
  it("a later attempt is no exception", () => {
    const second = seal(0, { attempt: 2, branches: { a: { ...branch(10), lettered: 1 } } })
    given(...running, sealed(0))
      .whenRecording({ seals: [second] })
      .thenRejected("sums_disagree")
  })
})

describe("what a batch leaves behind", () => {
  const none = { delivered: 0, filtered: 0, unrouted: 0, lettered: 0 }
  const nothing = { records: 0, ...none }
  const at = (combined: number | null, watermarks: Record<string, number>) => ({
    idle: [],
    watermarks,
    combined
  })
  const empty = (to: number | null) =>
    seal(1, {
      count: 0,
      range: { from: { line: 10 }, to: to === null ? null : { line: to } },
      branches: { a: { ...nothing, records: 2 } },
      totals: none
    })

  it("records that were taken in are part of the sums", () => {
    const aggregated = { ...branch(0), filtered: 0, aggregated: 10 }
    const totals = { ...none, aggregated: 10 }
    given(...running)
      .whenRecording({ seals: [seal(0, { branches: { a: aggregated }, totals })] })
      .then(sealed(0, { branches: { a: aggregated }, totals }))
    given(...running)
      .whenRecording({ seals: [seal(0, { branches: { a: { ...aggregated, aggregated: 9 } }, totals })] })
      .thenRejected("sums_disagree")
  })
  it("a batch of no records stays where its source is", () => {
    given(...running, sealed(0))
      .whenRecording({ seals: [empty(10)] })
      .then(sealed(1, empty(10)))
    given(...running, sealed(0))
      .whenRecording({ seals: [empty(20)] })
      .thenRejected("batch_out_of_order")
  })
  it("invariant 2: event time never moves backwards, at no source and not of all together", () => {
    const past = [...running, sealed(0, { time: at(40, { in: 50, in2: 40 }) })]
    const next = (time: ReturnType<typeof at>) => given(...past).whenRecording({ seals: [seal(1, { time })] })
    next(at(40, { in: 50, in2: 40 })).then(sealed(1, { time: at(40, { in: 50, in2: 40 }) }))
    next(at(39, { in: 50, in2: 40 })).thenRejected("batch_out_of_order")
    next(at(null, { in: 50, in2: 40 })).thenRejected("batch_out_of_order")
    next(at(40, { in: 49, in2: 60 })).thenRejected("batch_out_of_order")
  })
  it("is told by its first seal alone", () => {
    const again = { attempt: 2, memory: { once: { keys: ["1"], forget: 0 } } }
    given(...running, sealed(0), ...resumed)
      .whenRecording({ seals: [seal(0, again)] })
      .thenRejected("batch_out_of_order")
  })
})

describe("sealing a later attempt", () => {
  const again = (changes: Parameters<typeof seal>[1] = {}) =>
    seal(0, { attempt: 2, branches: { b: branch(9, 1) }, letters: [letter(3, "b")], ...changes })

  it("takes the branches that are still owed", () =>
    given(...running, sealed(0), applied("a", 0), ...resumed)
      .whenRecording({ seals: [again()] })
      .then(sealed(0, again())))
  it("attempts go on after a restart (Benthos #415)", () => {
    const past = [...running, sealed(0), sealed(0, again()), ...resumed]
    given(...past)
      .whenRecording({ seals: [again()] })
      .thenRejected("batch_out_of_order")
    given(...past)
      .whenRecording({ seals: [again({ attempt: 3 })] })
      .then(sealed(0, again({ attempt: 3 })))
  })
  for (const [why, changes] of Object.entries({
    "an attempt is left out": { attempt: 3 },
    "other records were read": { digest: "another" },
    "another source is named": { source: "in2" },
    "the branch is settled": { branches: { a: branch(10) } },
    "the branch is unknown": { branches: { c: branch(10) } }
  })) {
    it(`is refused when ${why}`, () =>
      given(...running, sealed(0), applied("a", 0), ...resumed)
        .whenRecording({ seals: [again(changes)] })
        .thenRejected("batch_out_of_order"))
  }
  it("is refused when it has another number of records", () => {
    const totals = { delivered: 9, filtered: 0, unrouted: 0, lettered: 0 }
    const fewer = again({ count: 9, branches: { b: branch(9, 0, 9) }, letters: [], totals })
    given(...running, sealed(0))
      .whenRecording({ seals: [fewer] })
      .thenRejected("batch_out_of_order")
  })
  it("does not follow a batch that is settled", () =>
    given(...running, sealed(0), applied("a", 0), applied("b", 0))
      .whenRecording({ seals: [again()] })
      .thenRejected("batch_out_of_order"))
  it("settles nothing, not even with nothing to write: an older request may still land", () => {
    const state = stateAfter([...running, sealed(0), applied("a", 0)], {
      seals: [again({ branches: { b: branch(0) }, letters: [] })]
    })
    assert.deepStrictEqual(state.open.map(owedBranches), [["b"]])
  })
})

describe("a confirmation", () => {
  it("names the checkpoint it leads to, once there is one", () =>
    given(...running, sealed(0))
      .whenRecording({ applied: [holds("a", 0), holds("b", 0)] })
      .then(applied("a", 0), applied("b", 0, { checkpoint: Events.at(0) })))
  it("carries the sink's receipt", () =>
    given(...running, sealed(0))
      .whenRecording({ applied: [holds("a", 0, { receipt: { length: 70 } })] })
      .then(applied("a", 0, { receipt: { length: 70 } })))
  it("of what was held already is a suppressed duplicate", () =>
    given(...running, sealed(0), ...resumed)
      .whenRecording({ applied: [holds("a", 0, { duplicate: true })] })
      .then(suppressed("a", 0)))
  it("that is repeated changes nothing", () => {
    given(...running, sealed(0), applied("a", 0))
      .whenRecording({ applied: [holds("a", 0)] })
      .then()
    given(...running, sealed(0), applied("a", 0), applied("b", 0))
      .whenRecording({ applied: [holds("a", 0), holds("b", 0)] })
      .then()
    given(...running, sealed(0))
      .whenRecording({ applied: [holds("a", 0), holds("a", 0)] })
      .then(applied("a", 0))
  })
  it("of a branch with nothing to write was given by its first seal", () =>
    given(...running, sealed(0, { branches: { a: branch(10), b: branch(0) } }))
      .whenRecording({ applied: [holds("b", 0)] })
      .then())
  it("goes before the seals of its entry", () =>
    given(...running, sealed(0))
      .whenRecording({ seals: [seal(1)], applied: [holds("a", 0)] })
      .then(applied("a", 0), sealed(1)))
  it("is for the key of its batch only", () =>
    given(...running, sealed(0))
      .whenRecording({ applied: [holds("a", 0, { key: Events.keyOf("b", 0) })] })
      .thenRejected("unknown_batch"))
  it("the winner must have been sealed", () =>
    given(...running, sealed(0))
      .whenRecording({ applied: [holds("a", 0, { attempt: 2 })] })
      .thenRejected("unknown_attempt"))
  it("the winner must have been sealed for this branch", () =>
    given(...running, sealed(0), sealed(0, { attempt: 2, branches: { b: branch(10) } }))
      .whenRecording({ applied: [holds("a", 0, { attempt: 2 })] })
      .thenRejected("unknown_attempt"))
  it("may name an older attempt: its request landed late", () =>
    given(...running, sealed(0), sealed(0, { attempt: 2 }))
      .whenRecording({ applied: [holds("a", 0, { attempt: 1, duplicate: true })] })
      .then(suppressed("a", 0, 1)))
})

describe("retries and finishes", () => {
  it("a retry is told, whatever else happens (Benthos #415)", () => {
    const retry = { stage: "a", batch: 0, attempt: 1, reason: Events.reason, delayMs: 100 }
    given(...running, sealed(0))
      .whenRecording({ retries: [retry] })
      .then({ _tag: "Retried", ...retry })
  })
  it("an output is finished when nothing is owed, and once", () => {
    const finished = [{ stage: "a", output: { length: 70 } }]
    const event: PipelineEvent = { _tag: "OutputFinished", ...finished[0]! }
    given(...running, sealed(0), applied("a", 0))
      .whenRecording({ finished })
      .thenRejected("batches_owed")
    given(...running, sealed(0), applied("a", 0))
      .whenRecording({ applied: [holds("b", 0)], finished })
      .then(applied("b", 0, { checkpoint: Events.at(0) }), event)
    given(...running, event)
      .whenRecording({ finished })
      .then()
  })
  it("nothing to say is not an event", () =>
    given(...running)
      .whenRecording({})
      .then())
})

describe("the protocol's counterexamples, as far as the log decides them", () => {
  const counts = (past: ReadonlyArray<PipelineEvent>, entry: JournalEntry) =>
    stateAfter(past, entry).run?.counts
  const held = (stage: string, attempt: number) => holds(stage, 0, { attempt, duplicate: true })

  it("C1: a letter on one branch leaves the record to the other", () => {
    const first = sealed(0, { branches: { a: branch(10), b: branch(9, 1) }, letters: [letter(3, "b")] })
    const again = seal(0, { attempt: 2, branches: { a: branch(10) } })
    const run = counts([...running, first, ...resumed, sealed(0, again)], {
      applied: [held("a", 2), held("b", 1)]
    })
    assert.deepStrictEqual(run?.applied, { a: 10, b: 9 })
  })

  const lettersOne = sealed(0, {
    branches: { a: branch(9, 1), b: branch(9, 1) },
    letters: [letter(3, "a", "b")]
  })
  const lettersNone = sealed(0, { attempt: 2 })
  for (const winner of [1, 2]) {
    it(`C2: attempt ${winner} won, so its seal says what became of the record`, () => {
      const past = [...running, lettersOne, ...resumed, lettersNone]
      const run = counts(past, { applied: [held("a", winner), held("b", winner)] })
      const lettered = winner === 1 ? 1 : 0
      assert.include(run, { read: 10, delivered: 10 - lettered, lettered })
      assert.deepStrictEqual(run?.applied, { a: 10 - lettered, b: 10 - lettered })
    })
  }

  it("C3: the records of the attempt the sink holds are counted, not the first seal's", () => {
    const first = sealed(0, { branches: { a: branch(10), b: branch(1) } })
    const again = sealed(0, { attempt: 2, branches: { a: branch(10), b: branch(4) } })
    const run = counts([...running, first, ...resumed, again], { applied: [held("a", 1), held("b", 2)] })
    assert.deepStrictEqual(run?.applied, { a: 10, b: 4 })
  })
  it("C3: a branch its first seal had nothing for is never written afterwards", () =>
    given(...running, sealed(0, { branches: { a: branch(10), b: branch(0) } }), ...resumed)
      .whenRecording({ seals: [seal(0, { attempt: 2 })] })
      .thenRejected("batch_out_of_order"))

  it("C6: the checkpoint waits for the batch before", () => {
    const past = [...running, sealed(0), sealed(1), applied("a", 1), applied("b", 1), applied("a", 0)]
    assert.deepStrictEqual(checkpoints(replay(past)), [])
    const state = stateAfter(past, { applied: [holds("b", 0)] })
    assert.deepStrictEqual(checkpoints(state), [
      { source: "in", batch: 1, offset: 20, position: { line: 20 } }
    ])
  })
  it("C7: what is to be acknowledged again is still known after a crash", () => {
    const state = replay([...running, sealed(0), applied("a", 0), applied("b", 0), ...resumed])
    assert.deepStrictEqual(checkpoints(state), [
      { source: "in", batch: 0, offset: 10, position: { line: 10 } }
    ])
  })
  it("C10: a new generation writes under new keys, an owed batch under its own", () => {
    const again: PipelineEvent = { ...Events.replayed, generation: 1 }
    const past = [...running, sealed(0), Events.crashed, again]
    given(...past)
      .whenRecording({ applied: [holds("a", 0, { key: Events.keyOf("a", 0, 1) })] })
      .thenRejected("unknown_batch")
    given(...past)
      .whenRecording({ applied: [holds("a", 0)] })
      .then(applied("a", 0))
    given(...past)
      .whenRecording({ seals: [seal(1)] })
      .then(sealed(1, { generation: 1 }))
  })
  it("C13: a seal says what an unwritten output is cut back to", () => {
    const state = stateAfter(running, {
      seals: [seal(0, { branches: { a: { ...branch(10), base: { length: 70 } }, b: branch(10) } })]
    })
    assert.deepStrictEqual(state.run?.outputs, { a: { receipt: { length: 70 }, finished: false } })
  })
})

describe("the branch of the letters", () => {
  const ofLetters = (records: number) => ({ ...branch(records), ofLetters: true as const })
  const count = { delivered: 9, filtered: 0, unrouted: 0, lettered: 1 }
  const first = {
    branches: { a: branch(9, 1), b: branch(10), dead_letters: ofLetters(1) },
    letters: [letter(3, "a")],
    totals: count
  }
  const alone = (attempt: number, records: number) =>
    seal(0, { attempt, branches: { dead_letters: ofLetters(records) }, totals: count, letters: [] })

  it("belongs to the batch: it is settled when they are written, not before", () => {
    const others = [...running, sealed(0, first), applied("a", 0), applied("b", 0)]
    assert.deepStrictEqual(checkpoints(replay(others)), [])
    assert.deepStrictEqual(owedBranches(replay(others).open[0]!), ["dead_letters"])
    const written = replay([...others, applied("dead_letters", 0)])
    assert.deepStrictEqual([checkpoints(written).length, written.open], [1, []])
    assert.strictEqual(written.run?.counts.lettered, 1)
  })
  it("begins with the first seal that has letters, whichever attempt that is", () => {
    const refused = seal(0, {
      attempt: 2,
      branches: { a: branch(9, 1), dead_letters: ofLetters(1) },
      letters: [letter(3, "a")],
      totals: count
    })
    const state = stateAfter([...running, sealed(0)], { seals: [refused] })
    assert.deepStrictEqual(owedBranches(state.open[0]!), ["a", "b", "dead_letters"])
    assert.deepStrictEqual(
      lettersDue(replay([applied("b", 0), applied("a", 0, { attempt: 2 })], state).open[0]!).map(
        ({ id }) => id
      ),
      ["0.0.3"]
    )
  })
  it("any other branch is there from the first seal on", () =>
    given(...running, sealed(0))
      .whenRecording({ seals: [seal(0, { attempt: 2, branches: { dead_letters: branch(10) } })] })
      .thenRejected("batch_out_of_order"))
  it("is sealed by itself only when it is known which letters count", () => {
    given(...running, sealed(0, first), applied("a", 0))
      .whenRecording({ seals: [alone(2, 1)] })
      .thenRejected("batch_out_of_order")
    given(...running, sealed(0, first), applied("a", 0), applied("b", 0))
      .whenRecording({ seals: [alone(2, 0)] })
      .then(sealed(0, alone(2, 0)))
  })
  it("is written then, and not earlier; what its sink holds from before is settled all the same", () => {
    const early = { ...applied("dead_letters", 0), lagMs: 0, duplicate: false, receipt: null }
    const past = [...running, sealed(0, first), applied("a", 0)]
    given(...past)
      .whenRecording({ applied: [early] })
      .thenRejected("batch_out_of_order")
    given(...past)
      .whenRecording({ applied: [{ ...early, duplicate: true }] })
      .then(suppressed("dead_letters", 0))
  })
  it("gets the letters of the attempts that won, once each, without those that had left before", () => {
    const left = { ...letter(5, "a"), reason: { code: "left_before", message: "" } }
    const second = {
      attempt: 2,
      branches: { a: branch(7, 3), dead_letters: ofLetters(2) },
      letters: [letter(2, "a"), letter(4, "a"), left],
      totals: { ...count, delivered: 7, lettered: 3 }
    }
    const both = { ...first, letters: [letter(3, "a"), letter(4, "b"), letter(2, "b")] }
    const due = (attempt: number) =>
      lettersDue(
        replay([
          ...running,
          sealed(0, both),
          sealed(0, second),
          applied("a", 0, { attempt }),
          applied("b", 0)
        ]).open[0]!
      ).map(({ attempts, branches, offset }) => [offset, branches, attempts])
    assert.deepStrictEqual(due(1), [
      [2, ["b"], 2],
      [3, ["a"], 1],
      [4, ["b"], 2]
    ])
    assert.deepStrictEqual(due(2), [
      [2, ["a", "b"], 2],
      [4, ["a", "b"], 2]
    ])
  })
  it("the state keeps what is said of them and not their bytes, and only where they go to a sink", () => {
    const notes = replay([...running, sealed(0, first)]).open[0]!.notes
    const { raw: _, ...note } = letter(3, "a")
    assert.deepStrictEqual(notes, { 1: [note] })
    const { dead_letters: __, ...branches } = first.branches
    assert.notProperty(replay([...running, sealed(0, { ...first, branches })]).open[0], "notes")
  })
})

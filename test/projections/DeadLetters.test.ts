import { assert, describe, it } from "vitest"
import type { EventOf, PipelineEvent } from "../../events/PipelineEvent.ts"
import * as DeadLetters from "../../projections/DeadLetters.ts"
import {
  applied,
  branch,
  givenUp,
  letter,
  replayed,
  running,
  sealed,
  suppressed
} from "../fixtures/events.ts"
import { assertResumable } from "./folding.ts"

const listOf = (...events: ReadonlyArray<PipelineEvent>) =>
  DeadLetters.list(assertResumable([...running, ...events], DeadLetters.initial, DeadLetters.evolve))

const ids = (...events: ReadonlyArray<PipelineEvent>) => listOf(...events).map(({ id }) => id)

const onA = { branches: { a: branch(9, 1), b: branch(10) }, letters: [letter(3, "a")] }
const onBoth = { branches: { a: branch(9, 1), b: branch(9, 1) }, letters: [letter(3, "a", "b")] }

describe("a letter is provisional until its branch is settled", () => {
  it("is not listed while nobody knows who wins", () => {
    assert.deepEqual(ids(sealed(0, onA)), [])
    assert.deepEqual(ids(sealed(0, onA), applied("b", 0)), [])
  })

  it("is listed once the sink holds the attempt that sealed it", () => {
    const [only] = listOf(sealed(0, onA), applied("a", 0, { records: 9 }))
    assert.deepInclude(only, { id: "0.0.3", run: "r1", batch: 0, attempts: 1, branches: ["a"] })
    assert.deepEqual(ids(sealed(0, onA), suppressed("a", 0)), ["0.0.3"])
  })

  it("is listed at once when the first seal has nothing for the branch", () => {
    const nothing = { branches: { a: branch(0, 10) }, letters: [letter(3, "a")] }
    assert.deepEqual(ids(sealed(0, nothing)), ["0.0.3"])
  })

  it("waits for the sink when it is a later seal that has nothing", () => {
    const first = sealed(0)
    const later = sealed(0, { attempt: 2, branches: { a: branch(0, 10) }, letters: [letter(3, "a")] })
    assert.deepEqual(ids(first, later), [])
    assert.deepEqual(ids(first, later, applied("a", 0, { attempt: 2, records: 0 })), ["0.0.3"])
  })
})

describe("the winner decides", () => {
  it("voids letters of other attempts", () => {
    const second = sealed(0, { ...onA, attempt: 2, branches: { a: branch(9, 1) } })
    assert.deepEqual(ids(sealed(0), second, suppressed("a", 0, 1)), [])
    assert.deepEqual(ids(sealed(0), second, applied("a", 0, { attempt: 2 })), ["0.0.3"])
  })

  it("hears only the first word about a branch", () => {
    const second = sealed(0, { attempt: 2, branches: { a: branch(10) } })
    assert.deepEqual(ids(sealed(0, onA), second, suppressed("a", 0, 1), suppressed("a", 0, 2)), ["0.0.3"])
  })

  it("counts how often the letter was sealed, whoever won", () => {
    const again = sealed(0, { ...onA, attempt: 2, branches: { a: branch(9, 1) } })
    assert.equal(listOf(sealed(0, onA), again, suppressed("a", 0, 1))[0]?.attempts, 2)
  })
})

describe("several branches", () => {
  it("merges the branches of one record as they are settled", () => {
    assert.deepEqual(listOf(sealed(0, onBoth), applied("b", 0))[0]?.branches, ["b"])
    const both = listOf(sealed(0, onBoth), applied("b", 0), applied("a", 0))
    assert.equal(both.length, 1)
    assert.deepEqual(both[0]?.branches, ["b", "a"])
  })

  it("updates a listed letter that is sealed again for another branch", () => {
    const again = sealed(0, { attempt: 2, branches: { a: branch(9, 1) }, letters: [letter(3, "a")] })
    assert.equal(listOf(sealed(0, onBoth), applied("b", 0), again)[0]?.attempts, 2)
  })

  it("lists in the order of reading", () => {
    const second = sealed(1, { branches: { a: branch(8, 2) }, letters: [letter(17, "a"), letter(12, "a")] })
    assert.deepEqual(ids(sealed(0, onA), second, applied("a", 1), applied("a", 0)), [
      "0.0.3",
      "0.1.12",
      "0.1.17"
    ])
  })
})

describe("what voids letters", () => {
  const listed = [
    sealed(0, onA),
    applied("a", 0),
    sealed(1, { ...onA, letters: [letter(13, "a")] }),
    applied("a", 1)
  ]

  it("a new generation voids those at or after its place", () => {
    const from = [{ source: "in", batch: 0, offset: 10, position: null }]
    assert.deepEqual(ids(...listed, { ...replayed, generation: 1, from }), ["0.0.3"])
    assert.deepEqual(ids(...listed, { ...replayed, generation: 1 }), [])
  })

  it("the same generation voids nothing", () => {
    assert.deepEqual(ids(...listed, replayed), ["0.0.3", "0.1.13"])
  })

  it("a run that was given up keeps its settled letters and loses the others", () => {
    const open = sealed(2, { ...onA, letters: [letter(23, "a")] })
    const again: PipelineEvent = { _tag: "RunStarted", run: "r2", signature: "sig-1", from: [] }
    assert.deepEqual(ids(...listed, open, givenUp, again, applied("a", 2)), ["0.0.3", "0.1.13"])
  })
})

describe("a run that is set back", () => {
  const counts = { read: 0, delivered: 0, filtered: 0, unrouted: 0, lettered: 0, batches: 0, applied: {} }
  const back = (changes: Partial<EventOf<"RunSetBack">> = {}): PipelineEvent => ({
    _tag: "RunSetBack",
    run: "r1",
    version: 9,
    reason: "",
    generation: 1,
    fromStage: null,
    branches: null,
    sources: { in: { sealed: null, checkpoint: null } },
    outputs: {},
    counts,
    open: [],
    ...changes
  })
  const settledUpTo = (offset: number) => ({
    in: { sealed: null, checkpoint: { source: "in", batch: 0, offset, position: null } }
  })
  /** Batch 0 as it is opened again, each branch with its winner. */
  const opened = (generation: number, winners: Readonly<Record<string, number | null>>) => {
    const { batch, count, digest, offset, range, source } = sealed(0)
    const branches = Object.fromEntries(
      Object.entries(winners).map(([stage, winner]) => [stage, { attempt: 1, winner }])
    )
    return { batch, generation, source, range, offset, count, digest, branches, attempts: {} }
  }
  const both = [sealed(0, onBoth), applied("a", 0), applied("b", 0)]

  it("C10: voids the letters of its range in a new generation, and no others", () => {
    const later = [sealed(1, { ...onA, letters: [letter(13, "a")] }), applied("a", 1), applied("b", 1)]
    assert.deepEqual(ids(...both, ...later, back()), [])
    assert.deepEqual(ids(...both, ...later, back({ sources: settledUpTo(10) })), ["0.0.3"])
    const again = sealed(2, { offset: 10, generation: 1, letters: [] })
    assert.deepEqual(ids(...both, ...later, back({ sources: settledUpTo(10) }), again, applied("a", 2)), [
      "0.0.3"
    ])
  })

  it("goes by the batch of what an aggregate made, which is of no source", () => {
    const made = { ...letter(0, "a"), id: "0.0.hourly.0", source: "hourly" }
    const past = [sealed(0, { ...onA, letters: [made] }), applied("a", 0), applied("b", 0)]
    assert.deepEqual(ids(...past, back()), [])
    assert.deepEqual(ids(...past, back({ sources: settledUpTo(10) })), ["0.0.hourly.0"])
    assert.deepEqual(ids(...past, back({ open: [opened(1, { a: 1, b: null })] })), ["0.0.hourly.0"])
    assert.deepEqual(ids(...past, back({ open: [opened(1, { a: null, b: 1 })] })), [])
  })

  it("keeps the letter of a branch that was settled by then in a batch that was not", () => {
    const [left] = listOf(...both, back({ open: [opened(1, { a: 1, b: null })] }))
    assert.deepEqual(left?.branches, ["a"])
  })

  it("for some sinks voids nothing of the others", () => {
    const [left] = listOf(...both, back({ fromStage: "a", branches: ["a"] }))
    assert.deepEqual(left?.branches, ["b"])
  })

  it("in the same generation waits for what the sink holds: the letter counts again", () => {
    const again = back({ generation: 0, open: [opened(0, { a: null, b: 1 })] })
    assert.deepEqual(listOf(...both, again)[0]?.branches, ["b"])
    const [held] = listOf(...both, again, suppressed("a", 0))
    assert.deepEqual(held?.branches, ["b", "a"])
    assert.equal(held?.attempts, 1)
  })

  it("C11: a sink that forgot the key takes the record if it is whole by now, and the letter is void there", () => {
    const again = back({ generation: 0, open: [opened(0, { a: null, b: 1 })] })
    const whole = sealed(0, { attempt: 2, branches: { a: branch(10) } })
    const [left] = listOf(...both, again, whole, applied("a", 0, { attempt: 2 }))
    assert.deepEqual(left?.branches, ["b"])
  })
})

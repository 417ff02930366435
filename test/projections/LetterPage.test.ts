import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import * as DeadLetters from "../../projections/DeadLetters.ts"
import * as LetterPage from "../../projections/LetterPage.ts"
import { replay } from "../../projections/PipelineState.ts"
import { Choice, legalHistory } from "../fixtures/drive.ts"
import { applied, branch, letter, replayed, running, sealed, suppressed } from "../fixtures/events.ts"

const all: LetterPage.LetterQuery = { limit: 1000, after: null }

const replaysOf = (history: ReadonlyArray<PipelineEvent>): ReadonlyArray<LetterPage.Replay> => {
  let generation = 0
  return history.flatMap((event, index) => {
    if (event._tag === "RunSetBack") {
      const setBack = { event, isNew: event.generation > generation }
      generation = event.generation
      return [{ version: index + 1, run: event.run, from: [], setBack }]
    }
    if (!LetterPage.isNewGeneration({ generation }, event)) return []
    generation = event.generation
    return [{ version: index + 1, run: event.run, from: event.from }]
  })
}

const fold = (history: ReadonlyArray<PipelineEvent>, query: Partial<LetterPage.LetterQuery> = {}) => {
  let state = LetterPage.initial({ ...all, ...query }, replaysOf(history))
  for (const [index, event] of history.entries()) state = LetterPage.evolve(state, event, index + 1, index)
  return state
}
const pageOf = (history: ReadonlyArray<PipelineEvent>, query: Partial<LetterPage.LetterQuery> = {}) =>
  LetterPage.result(fold(history, query), history.length, 0)

/** One record of every batch is a letter, and every batch is settled. */
const lettered = (count: number, size = 7): ReadonlyArray<PipelineEvent> =>
  Array.from({ length: count }, (_, batch) => {
    const one = letter(batch * 10 + 3, "a")
    const letters = [{ ...one, raw: { ...one.raw, data: "x".repeat(size) } }]
    return [
      sealed(batch, { branches: { a: branch(9, 1), b: branch(10) }, letters }),
      applied("b", batch),
      applied("a", batch)
    ]
  }).flat()

describe("a page of dead letters", () => {
  it.prop(
    "is what the whole queue has there, also after a replay of a new generation",
    [Schema.Array(Choice).check(Schema.isMinLength(20)), Choice, Choice],
    ([choices, cut, from]) => {
      const past = legalHistory(choices)
      // A new generation begins with nothing owed.
      const rests = past.flatMap((_, index) =>
        replay(past.slice(0, index)).open.length === 0 ? [index] : []
      )
      const at = rests[cut % rests.length]!
      const run = past.findLast((event) => event._tag === "RunStarted")?.run ?? ""
      const again: PipelineEvent = {
        ...replayed,
        run,
        generation: 1,
        from: [{ source: "in", batch: 0, offset: from % 200, position: null }]
      }
      const history = [...past.slice(0, at), again, ...past.slice(at)]
      const whole = DeadLetters.list(history.reduce(DeadLetters.evolve, DeadLetters.initial))
      const { letters, more, total } = pageOf(history)
      assert.deepEqual(letters, whole)
      assert.deepEqual([more, total], [false, whole.length])
      const middle = whole[Math.floor(whole.length / 2)]
      const behind = pageOf(history, { after: middle ?? null, limit: 2 })
      const expected = middle === undefined ? whole : whole.slice(whole.indexOf(middle) + 1)
      assert.deepEqual(behind.letters, expected.slice(0, 2))
      assert.deepEqual([behind.more, behind.total], [expected.length > 2, whole.length])
    },
    { arbitrary: { runs: 150, size: 120 } }
  )

  it("holds the page and the batches in flight, however many letters there are", () => {
    const open = sealed(500, { branches: { a: branch(9, 1) }, letters: [letter(5003, "a")] })
    const state = fold([...running, ...lettered(500), open], { limit: 3 })
    assert.deepEqual(Object.keys(state.letters.settled), [])
    assert.deepEqual(Object.keys(state.letters.provisional), ["500"])
    assert.lengthOf(state.page, 3)
    assert.equal(LetterPage.result(state, 9999, 0).total, 500)
  })

  it("takes the letters of a stage and a code, and counts those", () => {
    const history = [...running, ...lettered(4)]
    assert.equal(pageOf(history, { stage: "clean", code: "broken" }).total, 4)
    assert.deepInclude(pageOf(history, { stage: "elsewhere" }), { letters: [], more: false, total: 0 })
    assert.equal(pageOf(history, { source: "elsewhere" }).total, 0)
    assert.equal(pageOf(history, { run: "elsewhere" }).total, 0)
    assert.equal(pageOf(history, { code: "other" }).total, 0)
  })

  it("ends early where records are large, in the order of reading whatever was settled first", () => {
    const large = lettered(10, LetterPage.pageCharacters / 4)
    const backwards = large.filter(({ _tag }) => _tag === "StageApplied").toReversed()
    const seals = large.filter(({ _tag }) => _tag === "BatchSealed")
    const { letters, more, total } = pageOf([...running, ...seals, ...backwards])
    assert.deepEqual(
      letters.map(({ batch }) => batch),
      [0, 1, 2, 3]
    )
    assert.deepEqual([more, total], [true, 10])
  })

  for (const generation of [0, 1]) {
    it(`is what the whole queue has there after the run was set back to generation ${generation}`, () => {
      const counts = { read: 0, delivered: 0, filtered: 0, unrouted: 0, lettered: 0, batches: 0, applied: {} }
      const onBoth = { branches: { a: branch(9, 1), b: branch(9, 1) } }
      const past = [0, 1, 2].flatMap((batch) => [
        sealed(batch, { ...onBoth, letters: [letter(batch * 10 + 3, "a", "b")] }),
        applied("a", batch),
        applied("b", batch)
      ])
      // Batch 0 is kept, batch 1 was settled on a alone; in the same generation batch 2 is opened again too.
      const open = [1, ...(generation === 0 ? [2] : [])].map((batch) => ({
        ...sealed(batch),
        branches: { a: { attempt: 1, winner: batch === 1 ? 1 : null }, b: { attempt: 1, winner: null } },
        attempts: {}
      }))
      const checkpoint = { source: "in", batch: 0, offset: 10, position: null }
      const back: PipelineEvent = {
        ...{
          _tag: "RunSetBack",
          run: "r1",
          version: 9,
          reason: "",
          generation,
          fromStage: null,
          branches: null
        },
        ...{ sources: { in: { sealed: null, checkpoint } }, outputs: {}, counts, open }
      }
      const whole = sealed(1, { attempt: 2, generation, branches: { b: branch(10) } })
      for (const rest of [
        [],
        [whole, applied("b", 1, { attempt: 2 })],
        [suppressed("b", 1), suppressed("a", 2)]
      ]) {
        const history = [...running, ...past, back, ...rest]
        const list = DeadLetters.list(history.reduce(DeadLetters.evolve, DeadLetters.initial))
        assert.isNotEmpty(list)
        const { letters, total } = pageOf(history)
        assert.deepEqual(letters, list)
        assert.equal(total, list.length)
      }
    })
  }

  it("knows places by ids", () => {
    assert.deepEqual(LetterPage.placeOf("0.3.3017"), { batch: 3, offset: 3017 })
    assert.isUndefined(LetterPage.placeOf("3017"))
    assert.deepEqual(LetterPage.placeOf("0.3.hourly.1"), { batch: 3, offset: 1, isMade: true })
  })
})

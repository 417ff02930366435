/**
 * What a redrive leaves of a letter, in every projection that tells of letters.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import type { EventOf, PipelineEvent, SealedBranch } from "../../events/PipelineEvent.ts"
import * as DeadLetters from "../../projections/DeadLetters.ts"
import * as LetterFates from "../../projections/LetterFates.ts"
import * as LetterPage from "../../projections/LetterPage.ts"
import * as LetterStory from "../../projections/LetterStory.ts"
import { replay } from "../../projections/PipelineState.ts"
import { applied, branch, completed, letter, reason, running, sealed } from "../fixtures/events.ts"

const both = letter(3, "a", "b")
const other = letter(5, "a")
const over = [
  ...running,
  sealed(0, { branches: { a: branch(8, 2), b: branch(9, 1) }, letters: [both, other] }),
  applied("a", 0),
  applied("b", 0),
  completed
]

const requested = (n: number, ...letters: ReadonlyArray<[string, ReadonlyArray<string>]>): PipelineEvent => ({
  _tag: "RedriveRequested",
  letters: letters.map(([id, branches]) => ({ letter: id, n, branches, sealed: 4 })),
  edits: [],
  rate: null,
  reason: "",
  seen: 7
})
const gets: SealedBranch = { records: 1, delivered: 1, filtered: 0, unrouted: 0, lettered: 0 }
const nacks: SealedBranch = { records: 0, delivered: 0, filtered: 0, unrouted: 0, lettered: 1 }
const again = { code: "still_broken", message: "it is still broken" }

const redriveSealed = (
  id: string,
  n: number,
  branches: EventOf<"RedriveSealed">["branches"],
  attempt = 1
): PipelineEvent => {
  const nacked = Object.keys(branches).filter((stage) => branches[stage]!.lettered > 0)
  const failure = nacked.length === 0 ? null : { stage: "late", branches: nacked, reason: again }
  return { _tag: "RedriveSealed", letter: id, n, attempt, branches, failure }
}
const redriveApplied = (id: string, n: number, stage: string, attempt = 1): PipelineEvent => ({
  ...{ _tag: "RedriveApplied", letter: id, n, stage, key: `p1/${id}/${stage}/${n}`, attempt, records: 1 },
  lagMs: 1
})

const listed = (...events: ReadonlyArray<PipelineEvent>) =>
  DeadLetters.list([...over, ...events].reduce(DeadLetters.evolve, DeadLetters.initial))

/** The page as a reader of the log makes it: the fates first, then everything. */
const paged = (query: Partial<LetterPage.LetterQuery>, ...events: ReadonlyArray<PipelineEvent>) => {
  const all = [...over, ...events]
  const fates = all.reduce(LetterFates.evolve, LetterFates.initial)
  const page = all.reduce(
    (state, event, index) => LetterPage.evolve(state, event, index + 1, index),
    LetterPage.initial({ limit: 10, after: null, ...query }, [], fates)
  )
  return LetterPage.result(page, all.length, 0)
}

const partly = [
  requested(1, [both.id, ["a", "b"]]),
  redriveSealed(both.id, 1, { a: gets, b: nacks }),
  redriveApplied(both.id, 1, "a")
]

describe("a letter that is redriven", () => {
  it("stays listed while its redrive is open, with that", () =>
    assert.deepStrictEqual(
      listed(requested(1, [both.id, ["a", "b"]])).map(({ id, redriving }) => [id, redriving]),
      [
        [both.id, true],
        [other.id, undefined]
      ]
    ))

  it("leaves the branches that took it, and stays on the others with the new reason", () => {
    const [first] = listed(...partly)
    assert.deepInclude(first, { id: both.id, branches: ["b"], stage: "late", reason: again, attempts: 2 })
    assert.strictEqual(first?.redrives, 1)
    assert.isUndefined(first?.redriving)
    const last = [...partly, requested(2, [both.id, ["b"]]), redriveSealed(both.id, 2, { b: gets })]
    assert.lengthOf(listed(...last), 2)
    assert.deepStrictEqual(
      listed(...last, redriveApplied(both.id, 2, "b")).map(({ id }) => id),
      [other.id]
    )
  })

  it("leaves when it is filtered: its seal settles it", () => {
    const filtered = { ...nacks, filtered: 1, lettered: 0 }
    const events = [requested(1, [other.id, ["a"]]), redriveSealed(other.id, 1, { a: filtered })]
    assert.deepStrictEqual(
      listed(...events).map(({ id }) => id),
      [both.id]
    )
  })

  it("is decided by the attempt its sink holds, not by the newest", () => {
    const events = [
      requested(1, [other.id, ["a"]]),
      redriveSealed(other.id, 1, { a: gets }),
      redriveSealed(other.id, 1, { a: nacks }, 2)
    ]
    assert.lengthOf(listed(...events, redriveApplied(other.id, 1, "a", 2)), 2)
    assert.lengthOf(listed(...events, redriveApplied(other.id, 1, "a", 1)), 1)
    assert.lengthOf(listed(...events), 2)
  })

  it("is on the page as it is in the list, and found by its new reason", () => {
    assert.deepStrictEqual(paged({}, ...partly).letters, listed(...partly))
    assert.deepStrictEqual(
      paged({ code: again.code }, ...partly).letters.map(({ id }) => id),
      [both.id]
    )
    assert.strictEqual(paged({ code: reason.code }, ...partly).total, 1)
    const discarded: PipelineEvent = {
      _tag: "DeadLettersDiscarded",
      letters: [{ letter: both.id, branches: ["b"] }],
      reason: "old"
    }
    assert.deepStrictEqual(paged({}, ...partly, discarded).letters, listed(...partly, discarded))
    assert.strictEqual(paged({}, ...partly, discarded).total, 1)
  })

  it("comes back with a set-back that does its redrive again", () => {
    const done = [...partly, requested(2, [both.id, ["b"]]), redriveSealed(both.id, 2, { b: gets })]
    const left = [...done, redriveApplied(both.id, 2, "b")]
    const redrives = replay([...over, ...done]).bench!.open
    const setBack: PipelineEvent = {
      ...{ _tag: "RunSetBack", run: "r1", version: 8, reason: "", generation: 0, fromStage: null },
      ...{ branches: null, sources: {}, outputs: {}, open: [], redrives },
      counts: { ...replay(over).run!.counts }
    }
    assert.lengthOf(listed(...left), 1)
    assert.deepInclude(listed(...left, setBack)[0], { id: both.id, branches: ["b"], redriving: true })
    assert.strictEqual(replay([...over, ...left, setBack]).bench?.redriven, 0)
    assert.lengthOf(listed(...left, setBack, redriveApplied(both.id, 2, "b")), 1)
  })

  it("has its story told", () => {
    const told = [...over, ...partly].reduce(
      (story, event, index) =>
        LetterStory.evolve(story, event, {
          ...{
            position: index,
            stream: "pipeline/p1",
            version: index + 1,
            type: event._tag,
            schemaVersion: 1
          },
          ...{ payload: "", at: index * 10, eventId: "", causationId: null, correlationId: null },
          ...{ by: "anna", epoch: 1, hash: "" }
        }),
      LetterStory.initial(both.id)
    )
    const story = LetterStory.tell(told)
    assert.deepInclude(story, { status: "standing", branches: ["b"], attempts: 2, run: "r1", batch: 0 })
    assert.deepStrictEqual(
      story?.reasons.map(({ by, n, reason: { code } }) => [n, code, by]),
      [
        [0, reason.code, "anna"],
        [1, again.code, "anna"]
      ]
    )
    assert.deepInclude(story?.redrives[0], {
      n: 1,
      outcome: "partly",
      branches: { a: "applied", b: "lettered" }
    })
    assert.isUndefined(LetterStory.tell(LetterStory.initial("9.9.9")))
  })
})

it("a state that nobody asked for a redrive has no bench", () => assert.isUndefined(replay(over).bench))

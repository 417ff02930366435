/**
 * What may be asked of dead letters, and what may be recorded of their redrives.
 *
 * @module
 */
import { describe, it } from "@effect/vitest"
import type { EventOf, PipelineEvent } from "../../../events/PipelineEvent.ts"
import { editMost, redriveKey } from "../../../events/Redrive.ts"
import type { RedriveConfirmed, RedriveSeal } from "../../../src/flow/run/Journal.ts"
import {
  applied,
  branch,
  completed,
  defined,
  letter,
  reason,
  running,
  sealed
} from "../../fixtures/events.ts"
import { given } from "../given.ts"

const at = { run: "r1", lives: 1, generation: 0 }
const id = letter(3, "a").id

/** A run whose one batch has a letter for the sink `a`. */
const settled = [
  ...running,
  sealed(0, { branches: { a: branch(9, 1), b: branch(10) }, letters: [letter(3, "a")] }),
  applied("a", 0),
  applied("b", 0)
]
const over = [...settled, completed]

const request = (n = 1): Omit<EventOf<"RedriveRequested">, "_tag"> => ({
  letters: [{ letter: id, n, branches: ["a"], sealed: 4 }],
  edits: [],
  rate: null,
  reason: "",
  seen: 7
})
const requested: PipelineEvent = { _tag: "RedriveRequested", ...request() }
const ask = (changes: object = {}) =>
  ({ _tag: "RequestRedrive", request: request(), revision: 0, at, ...changes }) as const

const one = { records: 1, delivered: 1, filtered: 0, unrouted: 0, lettered: 0 }
const none = { records: 0, delivered: 0, filtered: 0, unrouted: 0, lettered: 1 }
const seal = (attempt: number, of = one): RedriveSeal => ({
  letter: id,
  n: 1,
  attempt,
  branches: { a: of },
  failure: of.lettered === 0 ? null : { stage: "a", branches: ["a"], reason }
})
const key = redriveKey({ pipeline: "p1", letter: id, stage: "a", n: 1 })
const confirmed: RedriveConfirmed = {
  ...{ letter: id, n: 1, stage: "a", key, attempt: 1, records: 1, lagMs: 5, duplicate: false },
  receipt: null
}
const sealedOnce: PipelineEvent = { _tag: "RedriveSealed", ...seal(1) }
const record = (entry: object) => ({ _tag: "RecordRedrives", entry }) as const

describe("a redrive", () => {
  it("is requested of a letter that stands", () =>
    given(...over)
      .when(ask())
      .then(requested))
  it("is refused when anything was asked for since the letters were looked at", () => {
    given(...over)
      .when(ask({ revision: 1 }))
      .thenRejected("stale_version")
    given(...over)
      .when(ask({ at: { ...at, lives: 2 } }))
      .thenRejected("stale_version")
  })
  it("C9: is refused while one of the same letter is open", () =>
    given(...over, requested)
      .when(ask({ revision: 1, request: request(2) }))
      .thenRejected("redrive_open"))
  it("is refused while the batch of its letter is not settled", () => {
    const open = settled.slice(0, -1)
    given(...open)
      .when(ask())
      .thenRejected("letter_unsettled")
    given(...settled)
      .when(ask())
      .then(requested)
  })
  it("is refused with a payload beyond the bound", () => {
    const edits = [{ letter: id, payload: "x".repeat(editMost), changes: [] }]
    given(...over)
      .when(ask({ request: { ...request(), edits } }))
      .thenRejected("edit_too_large")
  })
  it("is taken back before it has begun, and not after", () => {
    const back = { _tag: "WithdrawRedrives", letters: [id], reason: "" } as const
    given(...over, requested)
      .when(back)
      .then({ _tag: "RedrivesWithdrawn", letters: [id], reason: "" })
    given(...over, requested, sealedOnce)
      .when(back)
      .thenRejected("redrive_sealed")
    given(...over)
      .when(back)
      .thenRejected("nothing_to_withdraw")
  })
  it("holds the definition and the run fast once it has begun", () => {
    const define = { _tag: "Define", definition: { ...defined, signature: "sig-2" } } as const
    given(...over, requested, sealedOnce)
      .when(define)
      .thenRejected("redrive_open")
    given(...over, requested)
      .when(define)
      .then({ ...defined, signature: "sig-2" })
  })
})

describe("what is recorded of a redrive", () => {
  const begun = [...over, requested, sealedOnce]

  it("is sealed before it is confirmed", () => {
    given(...over, requested)
      .when(record({ redriveSeals: [seal(1)] }))
      .then(sealedOnce)
    given(...over, requested)
      .when(record({ redriven: [confirmed] }))
      .thenRejected("unknown_attempt")
    given(...begun)
      .when(record({ redriven: [confirmed] }))
      .then({
        ...{ _tag: "RedriveApplied", letter: id, n: 1, stage: "a", key, attempt: 1, records: 1 },
        lagMs: 5
      })
  })
  it("counts its attempts, and says one outcome a branch", () => {
    given(...begun)
      .when(record({ redriveSeals: [seal(1)] }))
      .thenRejected("batch_out_of_order")
    given(...begun)
      .when(record({ redriveSeals: [seal(3)] }))
      .thenRejected("batch_out_of_order")
    given(...over, requested)
      .when(record({ redriveSeals: [seal(1, { ...one, lettered: 1 })] }))
      .thenRejected("sums_disagree")
  })
  it("has the key of its letter, sink and ordinal", () =>
    given(...begun)
      .when(record({ redriven: [{ ...confirmed, key: `${key}0` }] }))
      .thenRejected("unknown_batch"))
  it("changes nothing once it is settled, taken back or discarded", () => {
    const gone: PipelineEvent = {
      _tag: "DeadLettersDiscarded",
      letters: [{ letter: id, branches: ["a"] }],
      reason: ""
    }
    given(...begun, gone)
      .when(record({ redriven: [confirmed], redriveSeals: [seal(2)] }))
      .then()
    const nacked: PipelineEvent = { _tag: "RedriveSealed", ...seal(1, none) }
    given(...over, requested, nacked)
      .when(record({ redriveSeals: [seal(2)] }))
      .then()
  })
  it("is told beside no run only", () =>
    given(...settled, requested)
      .when(record({ redriveSeals: [seal(1)] }))
      .thenRejected("already_running"))
  it("leaves no output finished that it is owed to", () =>
    given(...begun)
      .when(record({ finished: [{ stage: "a", output: { length: 1 } }] }))
      .thenRejected("redrive_open"))
})

describe("a discard", () => {
  const letters = [{ letter: id, branches: ["a"] }]
  const discard = { _tag: "DiscardLetters", letters, reason: "old", force: false, revision: 0, at } as const

  it("is of letters that nobody is trying", () => {
    given(...over)
      .when(discard)
      .then({ _tag: "DeadLettersDiscarded", letters, reason: "old" })
    given(...over, requested)
      .when({ ...discard, revision: 1 })
      .thenRejected("redrive_open")
  })
  it("takes one that is being tried by force", () =>
    given(...over, requested, sealedOnce)
      .when({ ...discard, revision: 1, force: true })
      .then({ _tag: "DeadLettersDiscarded", letters, reason: "old" }))
})

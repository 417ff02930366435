import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import * as Why from "../../projections/Why.ts"
import { Choice, legalHistory } from "../fixtures/drive.ts"
import { completed, crashed, defined, replayed, running, runStarted, sealed } from "../fixtures/events.ts"
import { assertResumable, rowOf } from "./folding.ts"

type Told = readonly [PipelineEvent, Partial<StoredEvent>?]

const fold = (...told: ReadonlyArray<Told>): Why.Why =>
  assertResumable(
    told.map(([event, given], index) => ({ event, row: rowOf(event, index + 1, given) })),
    Why.initial,
    (why, { event, row }) => Why.evolve(why, event, row)
  )

const versions = ({ links }: Why.Chain): ReadonlyArray<number> => links.map(({ version }) => version)
const wanted = (desired: PipelineState.PipelineState["desired"], by = "alice"): Told => [
  { _tag: "DesiredStatusSet", desired, reason: "" },
  { by }
]
const step = (_tag: "ProvisioningStarted" | "InitializingStarted" | "Deployed" | "Resumed"): Told => [
  { _tag }
]
const up: ReadonlyArray<Told> = [
  [defined],
  wanted("Running"),
  step("ProvisioningStarted"),
  step("InitializingStarted"),
  step("Deployed"),
  step("Resumed")
]

describe("the statuses", () => {
  it.prop(
    "are those of the fold that the actor lives by, whatever is passed over",
    [Schema.Array(Choice).check(Schema.isMinLength(20))],
    ([choices]) => {
      let state = PipelineState.initial
      let why = Why.initial
      for (const [index, event] of legalHistory(choices).entries()) {
        state = PipelineState.evolve(state, event)
        if (Why.concerns(why, event._tag)) why = Why.evolve(why, event, rowOf(event, index + 1))
        assert.deepEqual(
          [why.desired, why.deployment, why.lifecycle, why.run],
          [state.desired, state.deployment, state.lifecycle, state.run?.id ?? null]
        )
      }
    },
    { arbitrary: { runs: 60, size: 120 } }
  )
})

describe("the deployment", () => {
  it("goes back to whoever asked, step by step", () => {
    const { deployment } = fold(...up).because
    assert.deepEqual(versions(deployment), [2, 3, 4, 5, 6])
    assert.deepEqual(
      deployment.links.map(({ by, follows }) => [by, follows]),
      [
        ["alice", null],
        ["engine", "state"],
        ["engine", "state"],
        ["engine", "state"],
        ["engine", "state"]
      ]
    )
  })

  it("follows the newest wish, not the one it was deployed for", () => {
    const why = fold(...up, wanted("Paused", "bob"), [{ _tag: "Paused" }], wanted("Shutdown", "carol"), [
      { _tag: "ShutdownStarted" }
    ])
    assert.deepEqual(versions(why.because.deployment), [9, 10])
    assert.equal(why.because.deployment.links[0]?.by, "carol")
  })

  it("a mishap follows what went on, with the event that it was decided with", () => {
    const why = fold(
      ...up,
      [{ _tag: "Triggered", reason: "" }],
      [runStarted],
      [crashed],
      [
        { _tag: "BecameUnavailable", reason: { code: "away", message: "the sink is away" } },
        { causationId: "e9", correlationId: "c9" }
      ]
    )
    assert.deepEqual(versions(why.because.deployment), [2, 3, 4, 5, 6, 9, 10])
    const last = why.because.deployment.links.at(-1)
    assert.equal(last?.follows, "command")
    assert.equal(last?.says, "unavailable: away: the sink is away")
  })
})

describe("the run", () => {
  const triggered: Told = [
    { _tag: "Triggered", reason: "by hand" },
    { by: "alice", causationId: "e2", correlationId: "c2" }
  ]

  it("begins with its trigger, and with the wish that came in one command with it", () => {
    const why = fold([defined], wanted("Running"), triggered, [runStarted], [completed])
    assert.deepEqual(versions(why.because.run), [2, 3, 4, 5])
    assert.equal(why.because.run.links[1]?.follows, "command")
  })

  it("that was cut off because somebody wanted it to stop says who", () => {
    const why = fold(...up, [{ _tag: "Triggered", reason: "" }], [runStarted], wanted("Shutdown", "bob"), [
      crashed
    ])
    assert.deepEqual(versions(why.because.lifecycle), [7, 8, 9, 10])
    const again = fold(
      ...up,
      [{ _tag: "Triggered", reason: "" }],
      [runStarted],
      [crashed],
      [replayed],
      [sealed(0)]
    )
    assert.deepEqual(versions(again.because.lifecycle), [7, 8, 9, 10, 11])
  })

  it("stays told when the next one is triggered", () => {
    const why = fold(
      ...running.map((event): Told => [event]),
      [completed],
      [{ _tag: "Triggered", reason: "" }]
    )
    assert.deepEqual(versions(why.because.lifecycle), [5])
    assert.deepEqual(versions(why.because.run), [2, 3, 4])
  })

  it("that is cut off again and again keeps its beginning and its end", () => {
    const loops = Array.from({ length: 200 }, (): ReadonlyArray<Told> => [[crashed], [replayed]]).flat()
    let why = Why.initial
    const told: ReadonlyArray<Told> = [...running.map((event): Told => [event]), ...loops]
    for (const [index, [event]] of told.entries()) why = Why.evolve(why, event, rowOf(event, index + 1))
    const { links, omitted } = why.because.run
    assert.lengthOf(links, Why.linksMost)
    assert.equal(omitted, 402 - Why.linksMost)
    assert.deepEqual([links[0]?.type, links.at(-1)?.version], ["Triggered", told.length])
  })
})

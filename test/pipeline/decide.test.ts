/**
 * What a command means, as data.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import { evolve, type PipelineState, replay } from "../../projections/PipelineState.ts"
import {
  deployments,
  deploymentTransitions,
  type Lifecycle,
  lifecycles,
  lifecycleTransitions
} from "../../projections/transitions.ts"
import { type Command, rejectionCodes } from "../../src/pipeline/Command.ts"
import { decide } from "../../src/pipeline/decide.ts"
import * as Events from "../fixtures/events.ts"
import { given } from "./given.ts"

const { _tag: _, ...definition } = Events.defined
const { reason } = Events
const lost = { code: "process_lost", message: "the process that ran it is gone" }

const verbs: Readonly<Record<string, Command>> = {
  Define: { _tag: "Define", definition },
  Trigger: { _tag: "Trigger", reason: "asked" },
  StartRun: { _tag: "StartRun", run: "r2" },
  ResumeRun: { _tag: "ResumeRun" },
  Record: { _tag: "Record", entry: { seals: [Events.seal(0)] } },
  CompleteRun: { _tag: "CompleteRun" },
  FailRun: { _tag: "FailRun", reason },
  CrashRun: { _tag: "CrashRun", reason }
}

/** Every verb in every state of a run, in the order of `verbs`: the events it gives, or the refusal. */
const unfinished = "unfinished_run"
const table: Readonly<Record<Lifecycle, ReadonlyArray<string>>> = {
  Idle: idle("Triggered"),
  Scheduled: idle("Triggered"),
  Triggered: ["Defined", "illegal_transition", "RunStarted", ...idle("").slice(3)],
  Running: active("already_running"),
  Failed: [unfinished, unfinished, "illegal_transition", "ReplayStarted", ...resting("Failed")],
  Crashed: [unfinished, unfinished, "illegal_transition", "ReplayStarted", ...resting("Failed")],
  Replaying: active("already_running"),
  Completed: idle("Triggered")
}
function idle(trigger: string) {
  return ["Defined", trigger, "illegal_transition", "nothing_to_resume", ...resting("not_running")]
}
function resting(fail: string) {
  return ["not_running", "not_running", fail, "not_running"]
}
function active(resume: string) {
  const refused = [unfinished, "already_running", "illegal_transition"]
  return [...refused, resume, "BatchSealed", "Completed", "Failed", "Crashed"]
}

const answer = (command: Command, state: PipelineState): string => {
  const decision = decide(command, state)
  return Result.isSuccess(decision)
    ? decision.success.map(({ _tag }) => _tag).join(" ")
    : decision.failure.code
}

describe("every verb in every state of a run", () => {
  for (const lifecycle of lifecycles) {
    for (const [index, [verb, command]] of Object.entries(verbs).entries()) {
      const expected = table[lifecycle][index]!
      it(`${lifecycle}: ${verb} → ${expected}`, () =>
        assert.strictEqual(answer(command, replay(Events.lifecycleHistory[lifecycle])), expected))
    }
  }
})

/** Tags a table has a say in; a batch may be sealed at any time of a run, it only ends a replay. */
const governed = (of: Readonly<Record<string, object>>) =>
  new Set(
    Object.values(of)
      .flatMap((row) => Object.keys(row))
      .filter((tag) => tag !== "BatchSealed")
  )
const ofRun = governed(lifecycleTransitions)
const ofDeployment = governed(deploymentTransitions)

const assertLegal = (before: PipelineState, events: ReadonlyArray<PipelineEvent>): void => {
  let state = before
  for (const event of events) {
    const { deployment, lifecycle } = state
    if (ofRun.has(event._tag)) assert.property(lifecycleTransitions[lifecycle], event._tag)
    if (ofDeployment.has(event._tag)) assert.property(deploymentTransitions[deployment], event._tag)
    state = evolve(state, event)
  }
}

describe("every verb in every state there is", () => {
  const desired = ["Running", "Paused", "Shutdown"] as const
  const wishes = desired.map((to): Command => ({ _tag: "SetDesired", desired: to, reason: "asked" }))
  const steps: ReadonlyArray<Command> = [
    { _tag: "AdvanceDeployment" },
    { _tag: "FailDeployment", error: reason },
    { _tag: "BecomeUnavailable", reason },
    { _tag: "Suspend", reason: lost, life: 1 },
    { _tag: "Trigger", reason: "asked", deployed: true }
  ]
  const commands = [...Object.values(verbs), ...wishes, ...steps]
  const definitions = [
    [],
    [Events.defined],
    [Events.definedWrongly],
    [{ ...Events.defined, signature: "sig-2" }]
  ]
  const owing = [[], [Events.sealed(0)]]

  const states = lifecycles.flatMap((lifecycle) =>
    deployments.flatMap((deployment) =>
      definitions.flatMap((last) =>
        owing.map((owed) => {
          const past = [...Events.deploymentHistory[deployment], ...Events.lifecycleHistory[lifecycle]]
          return replay([...past, ...last, ...owed])
        })
      )
    )
  )

  it("gives legal events or a refusal, and never throws", () => {
    for (const state of [replay([]), ...states]) {
      for (const wish of desired) {
        for (const command of commands) {
          const decision = decide(command, { ...state, desired: wish })
          if (Result.isSuccess(decision)) assertLegal(state, decision.success)
          else {
            assert.include(rejectionCodes, decision.failure.code)
            assert.isNotEmpty(decision.failure.message)
          }
        }
      }
    }
  })
})

describe("deployment", () => {
  const way = (from: ReadonlyArray<PipelineEvent>, desired: PipelineState["desired"]) => {
    const passed: Array<string> = []
    let state: PipelineState = { ...replay(from), desired }
    for (let step = 0; step < 10; step++) {
      const events = Result.getOrThrow(decide({ _tag: "AdvanceDeployment" }, state))
      state = events.reduce(evolve, state)
      passed.push(...events.map(() => state.deployment))
    }
    return passed.join(" ")
  }
  const { deploymentHistory: at } = Events

  it("a start passes through Paused", () =>
    assert.strictEqual(way(at.Shutdown, "Running"), "Provisioning Initializing Paused Running"))
  it("a paused start stops there", () =>
    assert.strictEqual(way(at.Shutdown, "Paused"), "Provisioning Initializing Paused"))
  it("a running one is paused", () => assert.strictEqual(way(at.Running, "Paused"), "Paused"))
  for (const deployment of deployments) {
    it(`${deployment} can be shut down`, () => {
      const expected = deployment === "Shutdown" ? "" : "ShuttingDown Shutdown"
      const passed = way(at[deployment], "Shutdown")
      assert.strictEqual(passed, deployment === "ShuttingDown" ? "Shutdown" : expected)
    })
  }
  it("what is drained is paused, what is at work is not", () => {
    const wanted: PipelineEvent = { _tag: "DesiredStatusSet", desired: "Paused", reason: "asked" }
    given(...at.Running, ...Events.lifecycleHistory.Running, wanted)
      .when({ _tag: "AdvanceDeployment" })
      .thenRejected("already_running")
    given(...at.Running, ...Events.lifecycleHistory.Crashed, wanted)
      .when({ _tag: "AdvanceDeployment" })
      .then({ _tag: "Paused" })
  })
  it("a failure is left by shutting down", () => {
    given(...at.Failed)
      .when({ _tag: "SetDesired", desired: "Running", reason: "asked" })
      .thenRejected("deployment_failed")
    given(...at.Failed, { _tag: "DesiredStatusSet", desired: "Running", reason: "asked" })
      .when({ _tag: "SetDesired", desired: "Shutdown", reason: "asked" })
      .then({ _tag: "DesiredStatusSet", desired: "Shutdown", reason: "asked" })
  })
  it("nothing else is wanted while a shutdown is under way", () => {
    for (const desired of ["Running", "Paused"] as const) {
      given(...at.ShuttingDown)
        .when({ _tag: "SetDesired", desired, reason: "asked" })
        .thenRejected("shutting_down")
    }
  })
  it("a definition with findings cannot be started", () =>
    given(Events.definedWrongly)
      .when({ _tag: "SetDesired", desired: "Running", reason: "asked" })
      .thenRejected("invalid_definition"))
  it("a definition changes only when shut down", () => {
    for (const deployment of deployments.filter((each) => each !== "Shutdown")) {
      given(...at[deployment])
        .when(verbs.Define!)
        .thenRejected("not_shut_down")
    }
  })

  const wanted: PipelineEvent = { _tag: "DesiredStatusSet", desired: "Running", reason: "asked" }
  const atWork = [...at.Running, wanted, ...Events.lifecycleHistory.Running]
  it("a run that failed takes its deployment with it: a person has to look", () =>
    given(...atWork)
      .when(verbs.FailRun!)
      .then(Events.failed, { _tag: "DeploymentFailed", error: reason }))
  it("a run that crashed makes it unavailable, and says why", () =>
    given(...atWork)
      .when(verbs.CrashRun!)
      .then(Events.crashed, { _tag: "BecameUnavailable", reason }))
  it("a run that was drained says nothing of the deployment", () => {
    const interrupted = { code: "interrupted", message: "" }
    given(...atWork)
      .when({ _tag: "CrashRun", reason: interrupted })
      .then({ _tag: "Crashed", run: "r1", reason: interrupted })
  })
  it("a trigger of a service needs a started pipeline", () => {
    const asked: Command = { _tag: "Trigger", reason: "asked", deployed: true }
    given(Events.defined).when(asked).thenRejected("not_deployed")
    given(...at.Running, wanted)
      .when(asked)
      .then(Events.triggered)
  })
  it("two that define at the same time: one wins", () =>
    given(Events.defined).when({ _tag: "Define", definition, ifVersion: 0 }).thenRejected("stale_version"))
  it("a wish that is granted already is not logged", () =>
    given(Events.defined).when({ _tag: "SetDesired", desired: "Shutdown", reason: "asked" }).then())
})

describe("triggering", () => {
  it("needs a definition", () => given().when(verbs.Trigger!).thenRejected("no_definition"))
  it("needs a valid definition", () =>
    given(Events.definedWrongly).when(verbs.Trigger!).thenRejected("invalid_definition"))
  it("a run names the signature it was started under", () =>
    given(Events.defined, Events.triggered).when({ _tag: "StartRun", run: "r1" }).then(Events.runStarted))
})

describe("a run that was cut off", () => {
  const cut = [
    ...Events.running,
    Events.sealed(0),
    Events.applied("a", 0),
    Events.applied("b", 0),
    Events.sealed(1)
  ]
  const from = [{ source: "in", batch: 0, offset: 10, position: { line: 10 } }]

  it("is said to be crashed by whoever finds it, and so is its deployment", () =>
    given(...Events.deploymentHistory.Running, ...cut)
      .when({ _tag: "Suspend", reason: lost, life: 1 })
      .then({ _tag: "Crashed", run: "r1", reason: lost }, { _tag: "BecameUnavailable", reason: lost }))
  it("a life that is not known to be lost is somebody's: one run, one worker", () => {
    for (const life of [null, 0, 2]) {
      given(...cut)
        .when({ _tag: "Suspend", reason: lost, life })
        .thenRejected("already_running")
    }
    given(...cut)
      .when({ _tag: "ResumeRun" })
      .thenRejected("already_running")
  })
  it("goes on from its checkpoint under the same id", () =>
    given(...cut, Events.crashed)
      .when({ _tag: "ResumeRun" })
      .then({ ...Events.replayed, from }))
  it("keeps its checkpoints when it failed (Airbyte #2627)", () =>
    given(...cut, Events.failed)
      .when({ _tag: "ResumeRun" })
      .then({ ...Events.replayed, from }))
  it("a worker that was cut off has no say in the next life", () => {
    const second = [...cut, Events.crashed, Events.replayed]
    const late: ReadonlyArray<Command> = [
      { _tag: "Record", entry: { seals: [Events.seal(2)] }, life: 1 },
      { _tag: "CompleteRun", life: 1 },
      { _tag: "FailRun", reason, life: 1 },
      { _tag: "CrashRun", reason, life: 1 }
    ]
    for (const command of late) {
      given(...second)
        .when(command)
        .thenRejected("not_running")
    }
  })
  it("does not go on under another definition", () =>
    given(...cut, Events.crashed, { ...Events.defined, signature: "sig-2" })
      .when({ _tag: "ResumeRun" })
      .thenRejected("stale_signature"))
  it("keeps another definition out", () =>
    given(...cut, Events.crashed)
      .when(verbs.Define!)
      .thenRejected("unfinished_run"))
  it("is not thrown away by a trigger, whether it crashed or failed", () => {
    given(...cut, Events.crashed)
      .when(verbs.Trigger!)
      .thenRejected("unfinished_run")
    given(...cut, Events.failed)
      .when(verbs.Trigger!)
      .thenRejected("unfinished_run")
  })
})

describe("a run that was given up", () => {
  const past = [...Events.running, Events.sealed(0), Events.crashed, Events.givenUp]

  it("has nothing to resume", () =>
    given(...past)
      .when(verbs.ResumeRun!)
      .thenRejected("nothing_to_resume"))
  it("makes room for another definition", () =>
    given(...past)
      .when(verbs.Define!)
      .then(Events.defined))
  it("makes room for a new run", () =>
    given(...past)
      .when(verbs.Trigger!)
      .then(Events.triggered))
  it("stays given up when its worker fails late", () => {
    const late = decide(verbs.FailRun!, replay(past))
    const events = Result.isSuccess(late) ? late.success : []
    given(...past, ...events)
      .when(verbs.ResumeRun!)
      .thenRejected("nothing_to_resume")
  })
})

describe("completing", () => {
  const done = [...Events.running, Events.sealed(0), Events.applied("a", 0), Events.applied("b", 0)]

  it("waits until nothing is owed", () =>
    given(...done, Events.sealed(1))
      .when(verbs.CompleteRun!)
      .thenRejected("batches_owed"))
  it("C15: waits until every output is finished", () =>
    given(
      ...done,
      Events.applied("a", 0),
      Events.sealed(1, { branches: { a: { ...Events.branch(0), base: 7 } } })
    )
      .when(verbs.CompleteRun!)
      .thenRejected("outputs_unfinished"))
  it("C15: is allowed once the finish is logged", () =>
    given(...done, Events.sealed(1, { branches: { a: { ...Events.branch(0), base: 7 } } }), {
      _tag: "OutputFinished",
      stage: "a",
      output: 9
    })
      .when(verbs.CompleteRun!)
      .then(Events.completed))
})

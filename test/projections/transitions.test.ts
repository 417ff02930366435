/**
 * The tables of legal transitions: as the reference has them, without dead ends, and obeyed by the fold.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import { decodePipelineEvent } from "../../events/upcast.ts"
import { evolve, replay } from "../../projections/PipelineState.ts"
import {
  type Deployment,
  deployments,
  deploymentTransitions,
  isActive,
  isUnfinished,
  lifecycles,
  lifecycleTransitions,
  mayFollow
} from "../../projections/transitions.ts"
import * as Events from "../fixtures/events.ts"
import { storedRows } from "../fixtures/rows.ts"

/** One event of every kind. */
const events: ReadonlyArray<PipelineEvent> = [
  ...new Map(
    ["log-0.1.0.ndjson", "log-0.2.0-redrives.ndjson"]
      .flatMap(storedRows)
      .filter(({ stream }) => stream !== "catalog")
      .map((row) => Result.getOrThrow(decodePipelineEvent(row)))
      .map((event) => [event._tag, event])
  ).values()
]

/** All states that can be reached. */
const reach = (table: Readonly<Record<string, object>>, from: string): ReadonlySet<string> => {
  const seen = new Set([from])
  for (const state of seen) for (const to of Object.values(table[state] ?? {})) seen.add(to as string)
  return seen
}

describe("the life of a deployment", () => {
  const legal: Readonly<Record<Deployment, ReadonlyArray<Deployment>>> = {
    Shutdown: ["Provisioning", "Failed"],
    Provisioning: ["Initializing", "ShuttingDown", "Failed"],
    Initializing: ["Paused", "ShuttingDown", "Failed"],
    Paused: ["Running", "Unavailable", "ShuttingDown", "Failed"],
    Running: ["Paused", "Unavailable", "ShuttingDown", "Failed"],
    Unavailable: ["Running", "Paused", "ShuttingDown", "Failed"],
    Failed: ["ShuttingDown"],
    ShuttingDown: ["Shutdown"]
  }
  for (const deployment of deployments) {
    it(`${deployment} leads where the reference says`, () =>
      assert.sameMembers(Object.values(deploymentTransitions[deployment]), [...legal[deployment]]))
    it(`${deployment} is left by nothing else`, () => {
      const state = replay(Events.deploymentHistory[deployment])
      assert.strictEqual(state.deployment, deployment)
      for (const event of events) {
        const to = deploymentTransitions[deployment][event._tag] ?? deployment
        assert.strictEqual(evolve(state, event).deployment, to, event._tag)
      }
    })
    it(`${deployment} can be stopped`, () =>
      assert.isTrue(reach(deploymentTransitions, deployment).has("Shutdown")))
  }
})

describe("the life of a run", () => {
  it("every state can be reached", () =>
    assert.sameMembers([...reach(lifecycleTransitions, "Idle")], [...lifecycles]))
  for (const lifecycle of lifecycles) {
    it(`${lifecycle} is left by nothing but its exits`, () => {
      const state = replay(Events.lifecycleHistory[lifecycle])
      assert.strictEqual(state.lifecycle, lifecycle)
      for (const event of events) {
        const to = lifecycleTransitions[lifecycle][event._tag] ?? lifecycle
        assert.strictEqual(evolve(state, event).lifecycle, to, event._tag)
        assert.strictEqual(mayFollow(lifecycle, event._tag), event._tag in lifecycleTransitions[lifecycle])
      }
    })
    it(`${lifecycle} is no dead end: a run can complete from it`, () =>
      assert.isTrue(reach(lifecycleTransitions, lifecycle).has("Completed")))
  }
  it("what is worked on is unfinished, and can fail and crash", () => {
    for (const lifecycle of lifecycles.filter(isActive)) {
      assert.isTrue(isUnfinished(lifecycle))
      assert.isTrue(mayFollow(lifecycle, "Failed") && mayFollow(lifecycle, "Crashed"))
    }
  })
  it("an unfinished run that nobody works on goes on by a replay", () => {
    for (const lifecycle of lifecycles.filter((each) => isUnfinished(each) && !isActive(each))) {
      assert.isTrue(mayFollow(lifecycle, "ReplayStarted"))
    }
  })
})

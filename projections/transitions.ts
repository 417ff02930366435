/**
 * The legal transitions, as data: decide asks it, the docs and the console draw it, a test walks it.
 *
 * @module
 */
import type { PipelineEvent } from "../events/PipelineEvent.ts"

/** Where the current run of a pipeline is. */
export const lifecycles = [
  "Idle",
  "Scheduled",
  "Triggered",
  "Running",
  "Failed",
  "Crashed",
  "Replaying",
  "Completed"
] as const
export type Lifecycle = (typeof lifecycles)[number]

/** Where the pipeline as a deployed thing is. */
export const deployments = [
  "Shutdown",
  "Provisioning",
  "Initializing",
  "Paused",
  "Running",
  "Unavailable",
  "Failed",
  "ShuttingDown"
] as const
export type Deployment = (typeof deployments)[number]

type Tag = PipelineEvent["_tag"]
type Table<State extends string> = Readonly<Record<State, Readonly<Partial<Record<Tag, State>>>>>

/**
 * The life of a run. `Failed` waits for a person, `Crashed` for whoever owns the pipeline next; both
 * keep their place, so the way on from either is `ReplayStarted`. A run that is given up is `Failed` first.
 * A run that is set back waits like one that was cut off there; a pipeline that is `Scheduled` has a completed one.
 */
export const lifecycleTransitions: Table<Lifecycle> = {
  Idle: { Scheduled: "Scheduled", Triggered: "Triggered" },
  Scheduled: { Scheduled: "Scheduled", Triggered: "Triggered", RunSetBack: "Crashed" },
  Triggered: { RunStarted: "Running" },
  Running: { Completed: "Completed", Failed: "Failed", Crashed: "Crashed" },
  Failed: { Failed: "Failed", ReplayStarted: "Replaying", Triggered: "Triggered", RunSetBack: "Crashed" },
  Crashed: { ReplayStarted: "Replaying", Failed: "Failed", RunSetBack: "Crashed" },
  // The first batch that is not owed from before ends the replay: the run goes on as if nothing had happened.
  Replaying: { BatchSealed: "Running", Completed: "Completed", Failed: "Failed", Crashed: "Crashed" },
  Completed: { Scheduled: "Scheduled", Triggered: "Triggered", RunSetBack: "Crashed" }
}

/** The life of a deployment. A start passes through `Paused`; `Failed` is left by shutting down. */
export const deploymentTransitions: Table<Deployment> = {
  Shutdown: { ProvisioningStarted: "Provisioning", DeploymentFailed: "Failed" },
  Provisioning: {
    InitializingStarted: "Initializing",
    ShutdownStarted: "ShuttingDown",
    DeploymentFailed: "Failed"
  },
  Initializing: { Deployed: "Paused", ShutdownStarted: "ShuttingDown", DeploymentFailed: "Failed" },
  Paused: {
    Resumed: "Running",
    BecameUnavailable: "Unavailable",
    ShutdownStarted: "ShuttingDown",
    DeploymentFailed: "Failed"
  },
  Running: {
    Paused: "Paused",
    BecameUnavailable: "Unavailable",
    ShutdownStarted: "ShuttingDown",
    DeploymentFailed: "Failed"
  },
  Unavailable: {
    BecameAvailable: "Running",
    Paused: "Paused",
    ShutdownStarted: "ShuttingDown",
    DeploymentFailed: "Failed"
  },
  Failed: { ShutdownStarted: "ShuttingDown" },
  ShuttingDown: { ShutDown: "Shutdown" }
}

/** A run that has begun and not come to its end: it has a place to keep. */
export const isUnfinished = (lifecycle: Lifecycle): boolean =>
  lifecycle === "Running" || lifecycle === "Replaying" || lifecycle === "Crashed" || lifecycle === "Failed"

/** A run that somebody is supposed to be working on at this moment. */
export const isActive = (lifecycle: Lifecycle): boolean =>
  lifecycle === "Running" || lifecycle === "Replaying"

/** May this event happen to a run in this state? */
export const mayFollow = (lifecycle: Lifecycle, tag: Tag): boolean =>
  lifecycleTransitions[lifecycle][tag] !== undefined

/** May this event happen to a deployment in this state? */
export const mayDeploy = (deployment: Deployment, tag: Tag): boolean =>
  deploymentTransitions[deployment][tag] !== undefined

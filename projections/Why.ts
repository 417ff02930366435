/**
 * Why a pipeline is what it is: for each of its statuses the chain of events that led there, from whoever
 * asked to the last thing that happened.
 *
 * Two kinds of links are known. Events of one command carry its ids (`causationId`, `correlationId`). What the
 * engine does by itself it does because of a state: a deployment takes its next step because of the wish and
 * of the step before, a run goes on because it was triggered, or cut off. The transition tables say which
 * event changes which status, so most events of a long history are never looked into.
 *
 * @module
 */
import type { Desired, PipelineEvent } from "../events/PipelineEvent.ts"
import type { StoredEvent } from "../events/StoredEvent.ts"
import { describe } from "./Timeline.ts"
import {
  type Deployment,
  deploymentTransitions,
  type Lifecycle,
  lifecycleTransitions
} from "./transitions.ts"

/** One event of a chain. */
export interface Link {
  readonly version: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly type: string
  readonly by: string
  /** The event as a sentence. */
  readonly says: string
  readonly eventId: string
  readonly causationId: string | null
  readonly correlationId: string | null
  /** What binds it to the link before: one command, or the state that link led to. `null` for the first. */
  readonly follows: "command" | "state" | null
}

/** Oldest first. Of a chain that goes on and on the first link stays, and the newest. */
export interface Chain {
  readonly links: ReadonlyArray<Link>
  /** Links that were left out behind the first. */
  readonly omitted: number
}

/** The chain of each status. */
export interface Why {
  readonly desired: Desired
  readonly deployment: Deployment
  readonly lifecycle: Lifecycle
  readonly run: string | null
  readonly because: Readonly<Record<Aspect, Chain>>
  /** The first event of the last command whose events were looked at. */
  readonly command: Link | null
}

export type Aspect = "desired" | "deployment" | "lifecycle" | "run"

/** Links of one chain that are kept. */
export const linksMost = 100

const none: Chain = { links: [], omitted: 0 }

export const initial: Why = {
  desired: "Shutdown",
  deployment: "Shutdown",
  lifecycle: "Idle",
  run: null,
  because: { desired: none, deployment: none, lifecycle: none, run: none },
  command: null
}

/** May an event of this type change any status? Of others the payload need not be read. */
export const concerns = ({ deployment, lifecycle }: Why, type: string): boolean =>
  type === "DesiredStatusSet" ||
  Object.hasOwn(deploymentTransitions[deployment], type) ||
  Object.hasOwn(lifecycleTransitions[lifecycle], type)

/** Takes every event that `concerns` it; others change nothing. */
export const evolve = (why: Why, event: PipelineEvent, row: StoredEvent): Why => {
  if (!concerns(why, event._tag)) return why
  // Only a batch that is new ends a replay; one that is sealed again was owed from before.
  if (event._tag === "BatchSealed" && event.attempt > 1) return why
  const link = linkOf(event, row)
  const command = row.causationId === null ? link : why.command
  const next = { ...why, command }
  if (event._tag === "DesiredStatusSet") {
    return { ...next, desired: event.desired, because: { ...why.because, desired: chainOf([link]) } }
  }
  const deployment = deploymentTransitions[why.deployment][event._tag]
  if (deployment !== undefined) {
    const chain = extended(deploymentBase(why, event), link, next)
    return { ...next, deployment, because: { ...why.because, deployment: chain } }
  }
  const lifecycle = lifecycleTransitions[why.lifecycle][event._tag]!
  const chain = extended(lifecycleBase(why, event), link, next)
  const isOfRun = runEvents.has(event._tag)
  return {
    ...next,
    lifecycle,
    run: event._tag === "RunStarted" ? event.run : why.run,
    because: { ...why.because, lifecycle: chain, ...(isOfRun ? { run: chain } : {}) }
  }
}

const runEvents: ReadonlySet<string> = new Set([
  "RunStarted",
  "BatchSealed",
  "Completed",
  "Failed",
  "Crashed",
  "ReplayStarted",
  "RunSetBack"
])

/** A step towards what was already aimed at follows the step before; the first one after a wish follows the wish. */
const deploymentBase = ({ because: { deployment, desired } }: Why, event: PipelineEvent): Chain => {
  const wish = desired.links[0]
  if (wish === undefined || deployment.links.some(({ version }) => version === wish.version))
    return deployment
  const isMishap = event._tag === "BecameUnavailable" || event._tag === "DeploymentFailed"
  return isMishap && deployment.links.length > 0 ? deployment : desired
}

/** What begins a run follows nothing but its command; what cuts it off or takes it up again may follow a wish. */
const lifecycleBase = ({ because: { desired, lifecycle } }: Why, event: PipelineEvent): Chain => {
  switch (event._tag) {
    case "Scheduled":
    case "Triggered":
    case "RunSetBack":
      return none
    case "Crashed":
    case "ReplayStarted": {
      const wish = desired.links[0]
      const isNewer = wish !== undefined && wish.version > (lifecycle.links.at(-1)?.version ?? 0)
      return isNewer ? extend(lifecycle, { ...wish, follows: "state" }) : lifecycle
    }
    default:
      return lifecycle
  }
}

/** The first event of the same command comes before it, unless it is there already. */
const extended = (base: Chain, link: Link, { command }: Why): Chain => {
  const first = command
  const isMissing =
    first !== null &&
    first.eventId === link.causationId &&
    base.links.every(({ version }) => version !== first.version)
  return extend(isMissing ? extend(base, first) : base, link)
}

const extend = ({ links, omitted }: Chain, link: Link): Chain => {
  const last = links.at(-1)
  const next = [...links, { ...link, follows: last === undefined ? null : bond(last, link) }]
  return next.length <= linksMost
    ? { links: next, omitted }
    : { links: [next[0]!, ...next.slice(2)], omitted: omitted + 1 }
}

const bond = (before: Link, link: Link): "command" | "state" =>
  link.causationId === before.eventId ||
  (link.correlationId !== null && link.correlationId === before.correlationId)
    ? "command"
    : "state"

const chainOf = (links: ReadonlyArray<Link>): Chain => ({ links, omitted: 0 })

const linkOf = (event: PipelineEvent, row: StoredEvent): Link => ({
  version: row.version,
  at: row.at,
  type: row.type,
  by: row.by,
  says: describe(event),
  eventId: row.eventId,
  causationId: row.causationId,
  correlationId: row.correlationId,
  follows: null
})

/**
 * Which version of the log is meant.
 *
 * Only the end of an append is a state a process can have died in: several batches are confirmed by one, with one
 * receipt for all of them. So a version inside an append means the end of the append before it.
 *
 * @module
 */
import { Effect } from "effect"
import type { UndecodableEvent } from "../../../events/upcast.ts"
import { own } from "../../../projections/own.ts"
import * as PipelineState from "../../../projections/PipelineState.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import { Rejection, type RejectionCode } from "../Command.ts"
import type { ReplayFrom } from "./ReplayRequest.ts"
import { eachEvent, isLive, type Timeline } from "./readTimeline.ts"

/** The state after an append of the last run. */
export interface Moment {
  readonly version: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly state: PipelineState.PipelineState
}

export const findMoment = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  stream: string,
  timeline: Timeline,
  from: ReplayFrom
): Effect.fn.Return<Moment, Rejection | LogError | UndecodableEvent> {
  const outside = outsideOf(timeline, from)
  if (outside !== undefined) return yield* outside
  const choice = new Choice(from)
  let end: Moment = { version: 0, at: 0, state: PipelineState.initial }
  let goesOn = true
  const look = (moment: Moment): void => {
    if (moment.version < timeline.start || !isLive(timeline, moment.version)) return
    goesOn = choice.look(moment)
  }
  yield* eachEvent(log, stream, 0, (event, { at, causationId, version }) => {
    // The first event of an append has no cause in it.
    if (causationId === null) look(end)
    if (goesOn) end = { version, at, state: PipelineState.evolve(end.state, event) }
    return goesOn
  })
  if (goesOn) look(end)
  return choice.found ?? (yield* notFound(timeline, from))
})

/** Is shown every moment of the run that counts, in order, and keeps the one that is meant. */
class Choice {
  found: Moment | undefined
  readonly #from: ReplayFrom
  /** The source of the batch that is looked for. */
  #source: string | undefined

  constructor(from: ReplayFrom) {
    this.#from = from
  }

  /** Answers whether a later moment may be the one. */
  look(moment: Moment): boolean {
    const from = this.#from
    if (from === "start") return this.#take(moment, false)
    if ("version" in from) return moment.version <= from.version && this.#take(moment, true)
    if ("time" in from) return moment.at <= from.time && this.#take(moment, true)
    return "batch" in from.checkpoint
      ? this.#lookForBatch(moment, from.checkpoint.batch)
      : this.#lookForOffset(moment, from.checkpoint.source, from.checkpoint.offset)
  }

  #take(moment: Moment, goesOn: boolean): boolean {
    this.found = moment
    return goesOn
  }

  #lookForBatch(moment: Moment, batch: number): boolean {
    this.#source ??=
      PipelineState.openBatch(moment.state, batch)?.source ??
      PipelineState.checkpoints(moment.state).find((checkpoint) => checkpoint.batch === batch)?.source
    if (this.#source === undefined) return true
    const checkpoint = own(moment.state.run?.sources, this.#source)?.checkpoint
    return !(checkpoint && checkpoint.batch >= batch && !this.#take(moment, false))
  }

  /** The first moment of the furthest checkpoint that does not pass it. */
  #lookForOffset(moment: Moment, source: string, offset: number): boolean {
    const reached = settled(moment, source)
    if (reached > offset) return true
    const before = this.found === undefined ? -1 : settled(this.found, source)
    if (reached > before) this.#take(moment, true)
    return true
  }
}

const settled = ({ state }: Moment, source: string): number =>
  own(state.run?.sources, source)?.checkpoint?.offset ?? 0

const rejected = (code: RejectionCode, message: string, suggestion?: string): Rejection =>
  new Rejection({ code, message, ...(suggestion === undefined ? {} : { suggestion }) })

const outsideOf = (timeline: Timeline, from: ReplayFrom): Rejection | undefined => {
  const { head, start, state } = timeline
  if (from === "start" || !("version" in from)) {
    if (from === "start" || "time" in from || "batch" in from.checkpoint) return undefined
    const { source } = from.checkpoint
    return own(state.run?.sources, source) === undefined
      ? rejected("unknown_checkpoint", `run ${state.run?.id} has read nothing of ${source}`)
      : undefined
  }
  const { version } = from
  if (version > head) {
    return rejected("unknown_version", `the log ends at version ${head}`, `name one from ${start} to ${head}`)
  }
  if (version < start) {
    return rejected(
      "outside_run",
      `the last run began at version ${start}`,
      `name one from ${start} to ${head}`
    )
  }
  // What was written from there on has been cut off since, so there is nothing to go back to.
  return isLive(timeline, version)
    ? undefined
    : rejected(
        "set_back_before",
        `version ${version} was left out when the run was set back`,
        "name another one"
      )
}

const notFound = ({ start }: Timeline, from: ReplayFrom): Rejection =>
  typeof from === "object" && "checkpoint" in from
    ? rejected("unknown_checkpoint", "the last run has not reached this checkpoint")
    : rejected(
        "outside_run",
        `the last run began at version ${start}, after that`,
        "name a later moment, or `start`"
      )

/**
 * What happened to the batches of a run after a version, in the log as it is now.
 *
 * @module
 */
import { Effect } from "effect"
import type { BatchMemory } from "../../../events/BatchMemory.ts"
import type { PipelineEvent, RestoredBatch } from "../../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../../events/upcast.ts"
import * as OpenBatch from "../../../projections/OpenBatch.ts"
import { leftBehind } from "../../../projections/RunMemory.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import type { Moment } from "./findMoment.ts"
import { reopenedMost } from "./ReplayRequest.ts"
import { eachEvent, isLive, type Timeline } from "./readTimeline.ts"
import * as Redrives from "./redrivesSince.ts"

export interface Since {
  /** By sink, the branches of batches that it was found to hold. */
  readonly taken: ReadonlyMap<string, number>
  /** The sinks of each replay that was for some of them. */
  readonly alone: ReadonlyArray<ReadonlyArray<string>>
  /** Open at that version or sealed since, with every attempt and without the winners since; `null`: too many. */
  readonly batches: ReadonlyArray<OpenBatch.OpenBatch> | null
  readonly redrives: Redrives.RedrivesSince
  /** What the batches that were new then have left behind, with `collect`. */
  readonly memory: ReadonlyArray<BatchMemory>
}

/** Reads the log from the moment on. With `collect` the batches are kept, else only counted: bounded memory. */
export const readSince = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  stream: string,
  timeline: Timeline,
  moment: Moment,
  collect: boolean
): Effect.fn.Return<Since, LogError | UndecodableEvent> {
  const taken = new Map<string, number>()
  const alone: Array<ReadonlyArray<string>> = []
  const batches = new Map(moment.state.open.map((batch) => [batch.batch, batch]))
  let redrives = Redrives.initial(moment)
  const memory = new Map<number, BatchMemory>()
  yield* eachEvent(log, stream, moment.version, (event, { version }) => {
    // A set-back takes back what a redrive has done, but not that it was asked for and what it came to.
    redrives = Redrives.evolve(redrives, event)
    if (!isLive(timeline, version)) return true
    if (event._tag === "RunSetBack" && event.branches !== null) alone.push(event.branches)
    if (event._tag === "StageApplied" || event._tag === "DuplicateSuppressed") {
      taken.set(event.stage, (taken.get(event.stage) ?? 0) + 1)
    } else if (collect && batches.size <= reopenedMost) {
      keep(batches, event)
      for (const left of memoryIn(event)) {
        if (left.batch >= moment.state.nextBatch) memory.set(left.batch, left)
      }
    }
    return true
  })
  return {
    taken,
    alone,
    batches: batches.size > reopenedMost ? null : [...batches.values()],
    redrives,
    memory: [...memory.values()].sort((a, b) => a.batch - b.batch)
  }
})

/** A first seal has its own share; a set-back names again those of the batches it opens again. */
const memoryIn = (event: PipelineEvent): ReadonlyArray<BatchMemory> => {
  if (event._tag === "RunSetBack") return event.memory?.later ?? []
  const left = event._tag === "BatchSealed" && event.attempt === 1 ? leftBehind(event) : undefined
  return left === undefined ? [] : [left]
}

const keep = (batches: Map<number, OpenBatch.OpenBatch>, event: PipelineEvent): void => {
  if (event._tag === "BatchSealed") {
    const known = batches.get(event.batch)
    batches.set(event.batch, known === undefined ? OpenBatch.opened(event) : OpenBatch.resealed(known, event))
  }
  if (event._tag !== "RunSetBack") return
  for (const again of event.open) {
    const known = batches.get(again.batch)
    if (known !== undefined) batches.set(again.batch, together(known, again))
  }
}

/** A batch that had been opened again: what it was told then counts, whichever attempts were made in between. */
const together = (known: OpenBatch.OpenBatch, again: RestoredBatch): OpenBatch.OpenBatch => ({
  ...known,
  generation: again.generation,
  attempts: { ...known.attempts, ...again.attempts },
  branches: Object.fromEntries(
    Object.entries(known.branches).map(([stage, branch]) => [
      stage,
      { ...branch, attempt: Math.max(branch.attempt, again.branches[stage]?.attempt ?? 0) }
    ])
  )
})

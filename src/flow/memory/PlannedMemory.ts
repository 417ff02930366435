/**
 * What a plan remembers: its event time, its stages with a memory, and the ways out of them.
 *
 * @module
 */
import { type Effect, Semaphore } from "effect"
import type { Definition } from "../../../events/Definition.ts"
import type { SourceRecord } from "../../drivers/Record.ts"
import type { Outcome } from "../Outcome.ts"
import type { StageError } from "../StageError.ts"
import type { EventClock } from "../time/EventClock.ts"
import { endOfTime } from "../time/WatermarkTracker.ts"
import type { StageWithMemory } from "./StageWithMemory.ts"
import type { Takers } from "./takersOf.ts"

/** The way of records that a stage has made, from directly behind it. */
export type Onward = (records: ReadonlyArray<SourceRecord>) => Effect.Effect<Outcome, StageError>

export interface PlannedMemory {
  readonly clock: EventClock
  /** Each behind those it may have its records from. */
  readonly stages: ReadonlyArray<StageWithMemory>
  readonly onward: ReadonlyMap<string, Onward>
  /** The largest lateness that a source allows, in ms: so long windows are kept open behind event time. */
  readonly latenessMs: number
  /** Where another attempt at a batch may meet other answers than the first. */
  readonly takers: Takers | undefined
  /** Held by whoever sends records through stages with a memory: they know one batch at a time. */
  readonly oneAtATime: Semaphore.Semaphore
}

/** `undefined` where a plan has neither event time nor a stage that remembers: nothing is paid for it then. */
export const planMemory = (
  definition: Definition,
  clock: EventClock,
  stages: ReadonlyArray<StageWithMemory>,
  onward: (stage: string) => Onward,
  takers: Takers | undefined
): PlannedMemory | undefined =>
  !clock.isTracking && stages.length === 0
    ? undefined
    : {
        clock,
        stages,
        onward: new Map(stages.map(({ name }) => [name, onward(name)])),
        latenessMs: Math.max(
          0,
          ...Object.values(definition.stages).map(({ eventTime }) => eventTime?.allowedLateness ?? 0)
        ),
        takers,
        oneAtATime: Semaphore.makeUnsafe(1)
      }

/** Windows that end at this instant or earlier are over: no record that is not late belongs to them. */
export const overAt = (combined: number | null, latenessMs: number): number | null => {
  if (combined === null) return null
  return combined === endOfTime ? endOfTime : combined - latenessMs
}

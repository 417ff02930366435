/**
 * What the stages of a run remember, and how far its event time has come.
 *
 * The state stands before the first batch that is owed, and what each batch from there on has left behind
 * stands beside it: so whoever resumes the run can make any owed batch again out of the memory it was made of.
 *
 * @module
 */
import {
  type BatchMemory,
  endOfTime,
  type RestoredMemory,
  type SealedTime,
  type StageDelta
} from "../events/BatchMemory.ts"
import type { EventOf } from "../events/PipelineEvent.ts"
import { own } from "./own.ts"
import * as RememberedKeys from "./RememberedKeys.ts"
import * as Windows from "./Windows.ts"

/** What one stage remembers: the keys it has seen, or its open windows. */
export type StageMemory =
  | { readonly keys: RememberedKeys.RememberedKeys }
  | { readonly windows: Windows.Windows }

export interface RunMemory {
  /** `null` before the first batch of a source with event time. */
  readonly time: SealedTime | null
  readonly stages: Readonly<Record<string, StageMemory>>
  /** By ascending ordinal, without the batches that leave nothing behind. */
  readonly later: ReadonlyArray<BatchMemory>
}

export const empty: RunMemory = { time: null, stages: {}, later: [] }

/** A first seal. A run without anything to remember has no memory. */
export const sealed = (
  memory: RunMemory | undefined,
  event: Pick<EventOf<"BatchSealed">, "batch" | "time" | "memory">
): RunMemory | undefined => {
  const left = leftBehind(event)
  if (left === undefined) return memory
  const before = memory ?? empty
  return { ...before, later: [...before.later, left] }
}

/** What a first seal says that its batch leaves behind. */
export const leftBehind = ({
  batch,
  memory,
  time
}: Pick<EventOf<"BatchSealed">, "batch" | "time" | "memory">): BatchMemory | undefined =>
  time === undefined && memory === undefined
    ? undefined
    : { batch, ...(time === undefined ? {} : { time }), ...(memory === undefined ? {} : { memory }) }

/** Everything before this batch is settled: nobody asks for the memory before it any more. */
export const settled = (memory: RunMemory, before: number): RunMemory => {
  let ended = 0
  while (ended < memory.later.length && memory.later[ended]!.batch < before) ended++
  if (ended === 0) return memory
  const after = memory.later.slice(0, ended).reduce(behind, memory)
  return { ...after, later: memory.later.slice(ended) }
}

/** The state behind one more batch. */
const behind = (memory: RunMemory, { memory: deltas = {}, time }: BatchMemory): RunMemory => {
  const stages = { ...memory.stages }
  for (const [stage, delta] of Object.entries(deltas)) stages[stage] = remember(own(stages, stage), delta)
  return { ...memory, time: time ?? memory.time, stages }
}

/** What a stage remembers behind one more batch. */
export const remember = (before: StageMemory | undefined, delta: StageDelta): StageMemory => {
  if ("keys" in delta) {
    const keys = before !== undefined && "keys" in before ? before.keys : RememberedKeys.empty
    return { keys: RememberedKeys.apply(keys, delta) }
  }
  const open = before !== undefined && "windows" in before ? before.windows : Windows.empty
  const windows = delta.add === undefined ? open : Windows.apply(open, delta.add)
  return { windows: delta.close === undefined ? windows : Windows.close(windows, delta.close).windows }
}

/** Event time behind everything that is sealed. */
export const timeNow = (memory: RunMemory | undefined): SealedTime | null =>
  memory?.later.findLast(({ time }) => time !== undefined)?.time ?? memory?.time ?? null

/**
 * How far event time is at a source behind everything that is sealed (ms), of several read as one (`a+b`) the
 * least; `null` before its first record and once it has come to its end.
 */
export const watermarkOf = (memory: RunMemory | undefined, source: string): number | null => {
  const marks = timeNow(memory)?.watermarks
  const open = source.split("+").map((name) => own(marks, name))
  const known = open.filter((mark) => mark !== undefined && mark !== endOfTime) as ReadonlyArray<number>
  return known.length === 0 || open.includes(undefined) ? null : Math.min(...known)
}

/** As an event has it. */
export const toEvent = ({ later, stages, time }: RunMemory): RestoredMemory => ({
  time,
  stages: Object.fromEntries(Object.entries(stages).map(([stage, of]) => [stage, whole(of)])),
  later
})

/** As it was when an event took it up. */
export const fromEvent = ({ later, stages, time }: RestoredMemory): RunMemory => ({
  time,
  stages: Object.fromEntries(
    Object.entries(stages).map(([stage, delta]) => [stage, remember(undefined, delta)])
  ),
  later
})

const whole = (of: StageMemory): StageDelta =>
  "keys" in of ? RememberedKeys.asDelta(of.keys) : { add: Windows.asDelta(of.windows) }

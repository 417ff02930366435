/**
 * What a set-back makes of redrives: those whose effects came after its version are done again, and what has left the
 * dead letters does not come back with its batch. Pure.
 *
 * A sink that keeps keys answers for a redrive that it still holds; a file was cut back, and gets its record again.
 *
 * @module
 */
import type { EventOf, PipelineEvent } from "../../../events/PipelineEvent.ts"
import * as Bench from "../../../projections/Bench.ts"
import { placeOf } from "../../../projections/LetterPage.ts"
import type { OpenBatch } from "../../../projections/OpenBatch.ts"
import * as OpenRedrive from "../../../projections/OpenRedrive.ts"
import type { Moment } from "./findMoment.ts"

interface Applied {
  readonly redrive: OpenRedrive.OpenRedrive
  readonly after: ReadonlySet<string>
}

/** Of the events after a moment, as far as they concern redrives. */
export interface RedrivesSince {
  readonly bench: Bench.Bench
  /** Settled, by letter and ordinal, with the branches that were applied after the moment. */
  readonly applied: ReadonlyMap<string, Applied>
  /** By letter, the branches on which it has left. */
  readonly left: ReadonlyMap<string, ReadonlyArray<string>>
  readonly appliedAfter: ReadonlyMap<string, ReadonlySet<string>>
}

export const initial = ({ state }: Moment): RedrivesSince => ({
  bench: state.bench ?? Bench.initial,
  applied: new Map(),
  left: new Map(),
  appliedAfter: new Map()
})

export const evolve = (since: RedrivesSince, event: PipelineEvent): RedrivesSince => {
  const bench = Bench.evolve(since.bench, event)
  if (bench === since.bench) return since
  const next = { ...since, bench }
  switch (event._tag) {
    case "RedriveApplied":
    case "RedriveSealed":
      return settled(withApplied(next, event), since.bench, event)
    case "DeadLettersDiscarded":
      return {
        ...next,
        left: event.letters.reduce((left, { branches, letter }) => added(left, letter, branches), since.left)
      }
    default:
      return next
  }
}

const withApplied = (since: RedrivesSince, event: PipelineEvent): RedrivesSince => {
  if (event._tag !== "RedriveApplied") return since
  const name = `${event.letter}/${event.n}`
  const branches = new Set(since.appliedAfter.get(name)).add(event.stage)
  return { ...since, appliedAfter: new Map(since.appliedAfter).set(name, branches) }
}

const settled = (since: RedrivesSince, before: Bench.Bench, event: PipelineEvent): RedrivesSince => {
  const redrive = Bench.settledBetween(before, since.bench, event)
  if (redrive === undefined) return since
  const name = `${redrive.letter}/${redrive.n}`
  const after = since.appliedAfter.get(name) ?? new Set()
  return {
    ...since,
    left: added(since.left, redrive.letter, OpenRedrive.leftBranches(redrive)),
    applied: after.size === 0 ? since.applied : new Map(since.applied).set(name, { redrive, after })
  }
}

const added = (
  left: RedrivesSince["left"],
  letter: string,
  branches: ReadonlyArray<string>
): RedrivesSince["left"] =>
  new Map(left).set(letter, [...new Set([...(left.get(letter) ?? []), ...branches])])

/**
 * The redrives to be done again: of branches that take part. In a new generation the records of the range are
 * decided anew, and what was redriven of them is not theirs any more.
 */
export const again = (
  { applied }: RedrivesSince,
  { state }: Moment,
  isNew: boolean,
  takesPart: (stage: string) => boolean
): NonNullable<EventOf<"RunSetBack">["redrives"]> => {
  const open = new Set(state.open.map(({ batch }) => batch))
  return [...applied.values()].flatMap(({ after, redrive }) => {
    const batch = placeOf(redrive.letter)?.batch ?? -1
    const isOfRange = batch >= state.nextBatch || open.has(batch)
    const owed = [...after].filter(takesPart)
    if (owed.length === 0 || (isNew && isOfRange)) return []
    const branches = Object.fromEntries(
      Object.entries(redrive.branches).map(([stage, branch]) => [
        stage,
        owed.includes(stage) ? { ...branch, winner: null } : branch
      ])
    )
    return [{ ...redrive, rate: null, branches }]
  })
}

/** The records that another attempt at their batch leaves out, by the batch (`generation.batch`). */
export const leftByBatch = ({ left }: RedrivesSince): ReadonlyMap<string, NonNullable<OpenBatch["left"]>> => {
  const byBatch = new Map<string, NonNullable<OpenBatch["left"]>>()
  for (const [letter, branches] of left) {
    const [, batch, stage, offset] = /^(\d+\.\d+)\.(?:(.+)\.)?(\d+)$/.exec(letter) ?? []
    if (batch === undefined || branches.length === 0) continue
    const gone = { offset: Number(offset), branches, ...(stage === undefined ? {} : { stage }) }
    byBatch.set(batch, [...(byBatch.get(batch) ?? []), gone])
  }
  return byBatch
}

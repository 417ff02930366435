/**
 * Histories that decide allows, at random: what the fold promises of all of them. The counting here is
 * done from the events alone.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { Schema } from "effect"
import type { EventOf, PipelineEvent } from "../../events/PipelineEvent.ts"
import { evolve, initial, type PipelineState } from "../../projections/PipelineState.ts"
import { entries } from "../../projections/RememberedKeys.ts"
import { mayFollow } from "../../projections/transitions.ts"
import { Choice, legalHistory, rememberedMost } from "../fixtures/drive.ts"

/** Follows a random history event by event. */
const always = (
  promise: string,
  check: (
    before: PipelineState,
    event: PipelineEvent,
    after: PipelineState,
    past: Array<PipelineEvent>
  ) => void
): void =>
  it.prop(
    promise,
    [Schema.Array(Choice).check(Schema.isMinLength(20))],
    ([choices]) => {
      const past: Array<PipelineEvent> = []
      let state: PipelineState = initial
      for (const event of legalHistory(choices)) {
        const next = evolve(state, event)
        past.push(event)
        check(state, event, next, past)
        state = next
      }
    },
    { arbitrary: { runs: 150, size: 120 } }
  )

/** Events of the run that is under way. */
const ofRun = (past: ReadonlyArray<PipelineEvent>) =>
  past.slice(past.findLastIndex(({ _tag }) => _tag === "RunStarted"))

/** Batch and stage to the attempt that won: the first confirmation, or a first seal with nothing to write. */
const winners = (events: ReadonlyArray<PipelineEvent>): ReadonlyMap<string, number> => {
  const won = new Map<string, number>()
  const first = (batch: number, stage: string, attempt: number) => {
    if (!won.has(`${batch}/${stage}`)) won.set(`${batch}/${stage}`, attempt)
  }
  for (const event of events) {
    if (event._tag === "StageApplied" || event._tag === "DuplicateSuppressed") {
      first(event.batch, event.stage, event.attempt)
    } else if (event._tag === "BatchSealed" && event.attempt === 1) {
      for (const [stage, { records }] of Object.entries(event.branches)) {
        if (records === 0) first(event.batch, stage, 1)
      }
    }
  }
  return won
}

const seals = (events: ReadonlyArray<PipelineEvent>) =>
  events.filter((event): event is EventOf<"BatchSealed"> => event._tag === "BatchSealed")

always("every event is legal where it stands", ({ lifecycle }, { _tag }) => {
  const free = ["Defined", "BatchSealed", "StageApplied", "DuplicateSuppressed"]
  if (!free.includes(_tag)) assert.isTrue(mayFollow(lifecycle, _tag), `${_tag} while ${lifecycle}`)
})

always("invariant 2: within a run no checkpoint moves backwards or is lost", (before, _, after) => {
  if (before.run?.id !== after.run?.id) return
  for (const [source, { checkpoint }] of Object.entries(before.run?.sources ?? {})) {
    if (checkpoint === null) continue
    const now = after.run?.sources[source]?.checkpoint
    assert.isAtLeast(now?.offset ?? -1, checkpoint.offset)
    assert.isAtLeast(now?.batch ?? -1, checkpoint.batch)
  }
})

always("batch ordinals are never reset and never left out", (before, event, after) => {
  const first = event._tag === "BatchSealed" && event.attempt === 1
  assert.strictEqual(after.nextBatch, before.nextBatch + (first ? 1 : 0))
  if (first) assert.strictEqual(event.batch, before.nextBatch)
})

always("C6: a checkpoint is the end of the settled prefix of its source", (_, __, after, past) => {
  const events = ofRun(past)
  const won = winners(events)
  const places = new Map<string, { offset: number; stuck: boolean }>()
  for (const { attempt, batch, branches, count, offset, source } of seals(events)) {
    if (attempt !== 1) continue
    const place = places.get(source) ?? { offset: 0, stuck: false }
    const settled = Object.keys(branches).every((stage) => won.has(`${batch}/${stage}`))
    if (!settled) place.stuck = true
    else if (!place.stuck) place.offset = offset + count
    places.set(source, place)
  }
  for (const [source, { offset }] of places) {
    assert.strictEqual(after.run?.sources[source]?.checkpoint?.offset ?? 0, offset)
  }
})

always("C2, C3: what a sink holds is what its winners sealed", (_, __, after, past) => {
  const events = ofRun(past)
  const held: Record<string, number> = {}
  for (const [key, attempt] of winners(events)) {
    const [batch, stage] = key.split("/") as [string, string]
    const seal = seals(events).find((seal) => seal.batch === Number(batch) && seal.attempt === attempt)
    held[stage] = (held[stage] ?? 0) + (seal?.branches[stage]?.records ?? 0)
  }
  if (after.run !== null)
    assert.deepStrictEqual({ a: 0, b: 0, ...after.run.counts.applied }, { a: 0, b: 0, ...held })
})

always("invariant 6: at rest every record has its outcome", ({ run }, _, after) => {
  if (after.run === null || after.open.length > 0) return
  const { delivered, filtered, lettered, read, unrouted } = after.run.counts
  assert.strictEqual(delivered + filtered + unrouted + lettered, read)
  if (run?.id === after.run.id) assert.isAtLeast(read, run.counts.read)
})

always("what is owed stands in order and is not settled", (_, __, { open }) => {
  const ordinals = open.map(({ batch }) => batch)
  assert.deepStrictEqual(
    ordinals,
    ordinals.toSorted((a, b) => a - b)
  )
})

always(
  "the memory stands before the first batch that is owed, with what each later one left behind",
  (_, __, after, past) => {
    const events = seals(ofRun(past)).filter(({ attempt }) => attempt === 1)
    const owed = after.open[0]?.batch ?? Number.POSITIVE_INFINITY
    const before = events.filter(({ batch }) => batch < owed)
    const keys = before.flatMap(({ memory }) => {
      const delta = memory?.once
      return delta !== undefined && "keys" in delta ? delta.keys : []
    })
    const memory = after.run?.memory
    const once = memory?.stages.once
    const kept = once !== undefined && "keys" in once ? [...entries(once.keys)].map(([key]) => key) : []
    assert.deepStrictEqual(kept, keys.slice(-rememberedMost))
    assert.deepStrictEqual(
      memory?.time ?? null,
      before.findLast(({ time }) => time !== undefined)?.time ?? null
    )
    assert.deepStrictEqual(
      (memory?.later ?? []).map(({ batch }) => batch),
      events.filter((each) => each.batch >= owed && (each.time ?? each.memory)).map(({ batch }) => batch)
    )
  }
)

always("the ring of dead letters ascends within its window", (_, __, { definition, run }) => {
  for (const { nacks, sealed } of Object.values(run?.sources ?? {})) {
    assert.deepStrictEqual(
      nacks,
      [...new Set(nacks)].toSorted((a, b) => a - b)
    )
    for (const nack of nacks) assert.isAtLeast(nack, (sealed?.offset ?? 0) - definition!.window)
  }
})

always("a snapshot is as good as the history", (_, event, after, past) => {
  if (past.length % 7 !== 0) return
  const snapshot: PipelineState = JSON.parse(JSON.stringify(past.slice(0, -1).reduce(evolve, initial)))
  assert.deepStrictEqual(evolve(snapshot, event), after)
})

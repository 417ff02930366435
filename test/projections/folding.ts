/**
 * What every projection has to keep: it can stop anywhere and go on.
 *
 * @module
 */
import { assert } from "vitest"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"

/** Folds a history in one go, and again in two parts with the state in between as JSON. */
export const assertResumable = <S, E>(
  history: ReadonlyArray<E>,
  initial: S,
  evolve: (state: S, event: E) => S
): S => {
  const whole = history.reduce(evolve, initial)
  for (let cut = 0; cut <= history.length; cut++) {
    const stored = JSON.parse(JSON.stringify(history.slice(0, cut).reduce(evolve, initial))) as S
    assert.deepStrictEqual(history.slice(cut).reduce(evolve, stored), whole, `cut at ${cut}`)
  }
  return whole
}

/** The history with a time for each event, a second apart. */
export const dated = (history: ReadonlyArray<PipelineEvent>) =>
  history.map((event, index) => ({ at: (index + 1) * 1000, event }))

/** The row an event would stand in; a command of its own, unless something else is given. */
export const rowOf = (
  event: PipelineEvent,
  version: number,
  given: Partial<StoredEvent> = {}
): StoredEvent => ({
  position: version,
  stream: "pipeline/p1",
  version,
  type: event._tag,
  schemaVersion: 1,
  payload: JSON.stringify(event),
  at: version * 1000,
  eventId: `e${version}`,
  causationId: null,
  correlationId: `c${version}`,
  by: "engine",
  epoch: 1,
  hash: "",
  ...given
})

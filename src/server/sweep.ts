/**
 * What a service does first: it takes up every pipeline that its predecessor left at something.
 *
 * @module
 */
import { Effect } from "effect"
import * as Roster from "../../projections/Roster.ts"
import { isActive } from "../../projections/transitions.ts"
import { LiveRoster } from "../pipeline/LiveRoster.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"

/** Pipelines that are woken at once. */
const atOnce = 16

/**
 * Brings every pipeline towards where it is wanted, and answers how many those were. Which they are the roster
 * knows: what rests is not woken. One that cannot be read is told about and left alone.
 */
export const sweep = Effect.gen(function* () {
  const pipelines = yield* Pipelines
  const { state } = yield* (yield* LiveRoster).now
  const left = Roster.list(state).filter(isLeft)
  const adopted = yield* Effect.forEach(
    left,
    ({ id, name }) =>
      pipelines.adopt(id).pipe(
        Effect.as(1),
        Effect.catch((error) =>
          Effect.as(Effect.logError(`pipeline ${name} is left alone: ${error.message}`), 0)
        )
      ),
    { concurrency: atOnce }
  )
  return adopted.reduce((sum, one) => sum + one, 0)
})

const isLeft = ({ deployment, desired, lifecycle, redriving, unreadable }: Roster.Listed): boolean =>
  unreadable === null &&
  (redriving > 0 ||
    desired.value !== "Shutdown" ||
    deployment.value !== "Shutdown" ||
    isActive(lifecycle.value))

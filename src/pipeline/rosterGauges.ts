/**
 * How many pipelines there are in each status: a few series, however many pipelines there are.
 *
 * @module
 */
import { Effect, type Scope } from "effect"
import * as Roster from "../../projections/Roster.ts"
import { deployments, lifecycles } from "../../projections/transitions.ts"
import { registerGauge } from "../metrics/series.ts"

/** Shows them until the scope closes; `roster` is asked when somebody looks. */
export const rosterGauges = Effect.fnUntraced(function* (
  roster: () => Roster.Roster
): Effect.fn.Return<void, never, Scope.Scope> {
  const context = yield* Effect.context<never>()
  let counted: { readonly of: Roster.Roster; readonly counts: ReadonlyMap<string, number> } | undefined
  /** All series are read together: the roster is gone through once for them. */
  const counts = () => {
    const of = roster()
    if (counted?.of !== of) counted = { of, counts: count(of) }
    return counted.counts
  }
  const registered = [
    ...deployments.map((status) =>
      registerGauge(
        context,
        "millrace_pipelines_by_deployment",
        { status },
        () => counts().get(`deployment ${status}`) ?? 0
      )
    ),
    ...lifecycles.map((status) =>
      registerGauge(
        context,
        "millrace_pipelines_by_lifecycle",
        { status },
        () => counts().get(`lifecycle ${status}`) ?? 0
      )
    )
  ]
  yield* Effect.addFinalizer(() => Effect.sync(() => registered.forEach((one) => void one.remove())))
})

const count = (roster: Roster.Roster): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { deployment, lifecycle } of Roster.list(roster)) {
    for (const key of [`deployment ${deployment.value}`, `lifecycle ${lifecycle.value}`]) {
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return counts
}

/**
 * Stages that go by event time, and records that have none.
 *
 * @module
 */
import type { Definition } from "../../../events/Definition.ts"
import { type Finding, finding } from "../../../events/Finding.ts"
import { reach, successors } from "./order.ts"

/** An aggregate, or a dedupe within a span of time, that no record with event time reaches would fail on every record. */
export const needsEventTime = (definition: Definition): ReadonlyArray<Finding> => {
  const sources = Object.keys(definition.stages).filter(
    (name) => definition.stages[name]!.source !== undefined
  )
  const timed = sources.filter((name) => definition.stages[name]!.eventTime !== undefined)
  const next = successors(definition)
  const [fed, served] = [reach(sources, next), reach(timed, next)]
  return Object.entries(definition.stages).flatMap(([name, { aggregate, dedupe }]) => {
    const key = aggregate !== undefined ? "aggregate" : "dedupe"
    // What no source reaches at all has a finding of its own.
    if ((aggregate === undefined && dedupe?.within === undefined) || served.has(name) || !fed.has(name))
      return []
    return [
      finding(
        "needs_event_time",
        ["stages", name, key],
        `${name} goes by event time, and no source of its records has any`,
        "event_time: { field: … } at the source"
      )
    ]
  })
}

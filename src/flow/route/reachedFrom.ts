/**
 * Where the records of a batch may end, when it has those of several sources.
 *
 * @module
 */
import type { RouteStage } from "./RouteStage.ts"

/** The sinks that records of these sources may reach, in the order in which the stages name them. */
export const reachedFrom = (
  sources: ReadonlyArray<string>,
  stages: ReadonlyMap<string, RouteStage>
): ReadonlyArray<string> => {
  const reached = new Set(sources.flatMap((name) => stages.get(name)?.reaches ?? []))
  return sources.length === 1 ? [...reached] : [...stages.keys()].filter((name) => reached.has(name))
}

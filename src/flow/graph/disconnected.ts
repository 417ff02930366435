/**
 * Stages that share nothing: several pipelines in one definition.
 *
 * @module
 */
import type { Definition } from "../../../events/Definition.ts"
import { type Finding, finding } from "../../../events/Finding.ts"
import { reach } from "./order.ts"

/**
 * A warning for every part beyond the first that has a source and a sink of its own. It runs, so it is no
 * error; but the parts stop, fail and are set back together, which is hardly ever meant.
 */
export const disconnected = ({ stages }: Definition): ReadonlyArray<Finding> => {
  const [first, ...others] = parts(stages).filter((part) =>
    (["source", "sink"] as const).every((kind) => part.some((name) => stages[name]![kind] !== undefined))
  )
  if (first === undefined) return []
  return others.map((part) => ({
    ...finding(
      "disconnected",
      ["stages", part[0]!],
      `${few(part)} share nothing with ${few(first)}: they would stop and fail together`,
      "A pipeline of its own"
    ),
    severity: "warning"
  }))
}

/** The stages in groups of those that lead to each other in any direction, in the order of the file. */
const parts = (stages: Definition["stages"]): ReadonlyArray<ReadonlyArray<string>> => {
  const names = Object.keys(stages)
  const beside = new Map(names.map((name) => [name, new Set<string>()]))
  for (const name of names) {
    for (const { stage } of stages[name]!.from ?? []) {
      beside.get(stage)?.add(name)
      if (beside.has(stage)) beside.get(name)!.add(stage)
    }
  }
  const left = new Set(names)
  const found: Array<ReadonlyArray<string>> = []
  for (const name of names) {
    if (!left.has(name)) continue
    const part = reach([name], beside)
    found.push(names.filter((other) => part.has(other)))
    for (const other of part) left.delete(other)
  }
  return found
}

const few = (names: ReadonlyArray<string>): string =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`

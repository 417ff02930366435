/**
 * Does a rehearsal speak of stages that the pipeline has?
 *
 * @module
 */
import type { Definition } from "../../../events/Definition.ts"
import { type Finding, finding } from "../../../events/Finding.ts"
import { nearest } from "../../../events/nearest.ts"
import { reach, successors } from "../../flow/graph/order.ts"

/** What is looked at: the records by source, the tables and the answers by stage. */
export interface RehearsalNames {
  readonly given: Readonly<Record<string, ReadonlyArray<unknown> | undefined>>
  readonly lookups?: Readonly<Record<string, unknown>>
  readonly services?: Readonly<Record<string, unknown>>
}

type Kind = "source" | "lookup" | "service" | "sink"

/** Findings about the names of a rehearsal; `at` is where it stands in its document. */
export const rehearsalFindings = (
  definition: Definition,
  rehearsal: RehearsalNames,
  at: ReadonlyArray<PropertyKey> = []
): ReadonlyArray<Finding> => [
  ...unknownStages(definition, "source", Object.keys(rehearsal.given), [...at, "given"]),
  ...unknownStages(definition, "lookup", Object.keys(rehearsal.lookups ?? {}), [...at, "lookups"]),
  ...unknownStages(definition, "service", Object.keys(rehearsal.services ?? {}), [...at, "services"]),
  ...missing(definition, rehearsal, "lookup", rehearsal.lookups ?? {}, at),
  ...missing(definition, rehearsal, "service", rehearsal.services ?? {}, at)
]

/** A finding for each name that is no stage of this kind, with the one that was most likely meant. */
export const unknownStages = (
  definition: Definition,
  kind: Kind,
  names: ReadonlyArray<string>,
  at: ReadonlyArray<PropertyKey>
): ReadonlyArray<Finding> => {
  const known = namesOf(definition, kind)
  return names
    .filter((name) => !known.includes(name))
    .map((name) => {
      const other = Object.hasOwn(definition.stages, name)
      const message = `${definition.name} has no ${kind} ${name}${other ? ", that stage is something else" : ""}`
      const others = known.length === 1 ? known[0]! : `one of ${known.join(", ")}`
      const instead = known.length === 0 ? `it has no ${kind} at all` : others
      return finding(`unknown_${kind}`, [...at, name], message, nearest(name, known) ?? instead)
    })
}

/** What records would come to and the rehearsal says nothing about: to answer for it would be a guess. */
const missing = (
  definition: Definition,
  { given }: RehearsalNames,
  kind: "lookup" | "service",
  there: Readonly<Record<string, unknown>>,
  at: ReadonlyArray<PropertyKey>
): ReadonlyArray<Finding> => {
  const fed = Object.keys(given).filter((source) => (given[source] ?? []).length > 0)
  const reached = reach(
    fed.filter((source) => Object.hasOwn(definition.stages, source)),
    successors(definition)
  )
  return namesOf(definition, kind)
    .filter((name) => reached.has(name) && !Object.hasOwn(there, name))
    .map((name) =>
      kind === "lookup"
        ? finding(
            "missing_table",
            [...at, "lookups", name],
            `records reach the lookup ${name}, and it has no table here`,
            `lookups: { ${name}: [ … rows ] }, or [] for an empty table`
          )
        : finding(
            "missing_answers",
            [...at, "services", name],
            `records reach the service ${name}, and nothing says what it answers`,
            `services: { ${name}: [ { asked: …, payload: … } ] }`
          )
    )
}

const namesOf = (definition: Definition, kind: Kind): ReadonlyArray<string> =>
  Object.entries(definition.stages).flatMap(([name, stage]) => (stage[kind] === undefined ? [] : [name]))

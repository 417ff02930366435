/**
 * One test of a pipeline: rehearsed, and held against what it expects.
 *
 * @module
 */
import { Effect } from "effect"
import type { Definition } from "../../../events/Definition.ts"
import { type Finding, finding } from "../../../events/Finding.ts"
import { type Functions, noFunctions } from "../../flow/Functions.ts"
import { type Comparison, type Difference, differences, type FieldDifference } from "./differences.ts"
import { includes, isSame } from "./includes.ts"
import type { RehearsalError, Rehearsed } from "./Rehearsal.ts"
import { rehearsalFindings, unknownStages } from "./rehearsalFindings.ts"
import { rehearseDefinition } from "./rehearse.ts"
import type { Test } from "./TestFile.ts"

export interface TestResult {
  readonly name: string
  readonly isPassed: boolean
  readonly rehearsed: Rehearsed
  /** By sink, in the order of the test and then of the pipeline; only where something differs. */
  readonly sinks: Readonly<Record<string, ReadonlyArray<Difference>>>
  readonly deadLetters: ReadonlyArray<Difference>
  /** How the run should have ended and how it did, by the code of its failure; `null` where that is as expected. */
  readonly end: { readonly expected: string | null; readonly got: string | null } | null
}

/** What is wrong with the names of a test; nothing is run while there is something. */
export const testFindings = (
  definition: Definition,
  test: Test,
  at: ReadonlyArray<PropertyKey>
): ReadonlyArray<Finding> => [
  ...rehearsalFindings(definition, test, at),
  ...unknownStages(definition, "sink", Object.keys(test.sinks), [...at, "then"]),
  ...(definition.stages.dead_letters?.sink === undefined
    ? []
    : [
        finding(
          "ambiguous_name",
          [...at, "then", "dead_letters"],
          "dead_letters in then are the dead letters, and the pipeline has a sink of that name",
          "another name for the sink"
        )
      ])
]

export const runTest = (
  definition: Definition,
  test: Test,
  functions: Functions = noFunctions
): Effect.Effect<TestResult, RehearsalError> =>
  Effect.map(
    rehearseDefinition(
      definition,
      {
        given: test.given,
        lookups: test.lookups,
        services: test.services,
        ...(test.at === undefined ? {} : { at: test.at })
      },
      functions
    ),
    (rehearsed) => resultOf(test, rehearsed)
  )

const resultOf = (test: Test, rehearsed: Rehearsed): TestResult => {
  const unnamed = test.exact
    ? Object.keys(rehearsed.sinks).filter((sink) => !Object.hasOwn(test.sinks, sink))
    : []
  const sinks = Object.fromEntries(
    [...Object.keys(test.sinks), ...unnamed]
      .map((sink) => [sink, differences(test.sinks[sink] ?? [], rehearsed.sinks[sink] ?? [])] as const)
      .filter(([, found]) => found.length > 0)
  )
  const deadLetters = differences(test.deadLetters, rehearsed.deadLetters, asLetter)
  const got = rehearsed.failure?.code ?? null
  const end = got === test.fails ? null : { expected: test.fails, got }
  const isPassed = Object.keys(sinks).length === 0 && deadLetters.length === 0 && end === null
  return { name: test.name, isPassed, rehearsed, sinks, deadLetters, end }
}

/** Only what is named counts; of a message a part is enough, because messages are for people. */
const asLetter: Comparison = {
  fits: (got, expected) => wrongMembers(got, expected).length === 0,
  fields: (got, expected) => wrongMembers(got, expected)
}

const wrongMembers = (got: unknown, expected: unknown): ReadonlyArray<FieldDifference> => {
  const letter = got as Readonly<Record<string, unknown>>
  return Object.entries(expected as object).flatMap(([member, wanted]) => {
    const is = letter[member]
    const fits =
      member === "message"
        ? String(is).includes(String(wanted))
        : member === "record"
          ? includes(is, wanted)
          : isSame(is, wanted)
    return fits ? [] : [{ pointer: `/${member}`, expected: wanted, got: is }]
  })
}

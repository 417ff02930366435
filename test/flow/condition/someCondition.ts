/**
 * Conditions and records made of a list of choices, over few names and values, so that they meet often.
 *
 * @module
 */
import { Schema } from "effect"
import type { Condition } from "../../../events/Definition.ts"

/** Numbers from 0; what a property test generates and shrinks. */
export const Choices = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 })))

export interface Chooser {
  /** A number below `count`; 0 once the choices are used up, so that everything comes to an end. */
  readonly below: (count: number) => number
}

export const chooser = (choices: ReadonlyArray<number>): Chooser => {
  let at = 0
  return { below: (count) => (choices[at++] ?? 0) % count }
}

const one = <A>(from: ReadonlyArray<A>, { below }: Chooser): A => from[below(from.length)]!

const values: ReadonlyArray<Schema.Json> = [0, 1, 2.5, "", "a", "b1", true, false, null, [], [1], ["a", 1]]
const more: ReadonlyArray<Schema.Json> = [...values, {}, { b: 1 }, { b: { a: "b1" } }, { a: [1], b: null }]
const names = ["a", "b", "c"]

/** What a source may read: mostly objects. */
export const someRecord = (from: Chooser): Schema.Json => {
  if (from.below(8) === 7) return one(more, from)
  const record: Record<string, Schema.Json> = {}
  for (const name of names) if (from.below(4) > 0) record[name] = one(more, from)
  return record
}

export const someCondition = (from: Chooser, depth = 4): Condition => {
  switch (from.below(depth === 0 ? 8 : 12)) {
    case 0:
      return "always"
    case 1:
      return "never"
    case 2:
      return { type: one(["object", "array", "string", "number", "boolean", "null"] as const, from) }
    case 3:
    case 4:
      return { metadata: one(names, from), ...someComparison(from) }
    case 8:
      return { all: Array.from({ length: from.below(4) }, () => someCondition(from, depth - 1)) }
    case 9:
      return { any: Array.from({ length: from.below(4) }, () => someCondition(from, depth - 1)) }
    case 10:
    case 11:
      return { not: someCondition(from, depth - 1) }
    default:
      return { field: one(["a", "b", "c", "a.b", "a.b.a"], from), ...someComparison(from) }
  }
}

const someComparison = (from: Chooser) => {
  const bound = one([0, 1, 2.5, "", "a", "b1"], from)
  const [first, second] = [aspect(from, bound), aspect(from, bound)]
  return from.below(3) === 0 ? { ...first, ...second } : first
}

const aspect = (from: Chooser, bound: number | string) => {
  switch (from.below(7)) {
    case 0:
      return { exists: true }
    case 1:
      return { exists: false }
    case 2:
      return { matches: one(["", "a", "^b[0-9]$", "(a|a)+b"], from) }
    case 3:
      return { [one(["gt", "gte"] as const, from)]: bound }
    case 4:
      return { [one(["lt", "lte"] as const, from)]: bound }
    default:
      return { equals: one(more, from) }
  }
}

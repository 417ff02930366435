/**
 * A definition as nodes and edges, with words for what each stage does.
 *
 * @module
 */
import type { Definition } from "../../events/Definition.ts"
import { conditionText } from "../flow/condition/conditionText.ts"
import { reach, successors } from "../flow/graph/order.ts"
import { deadLetterWords, stageWords } from "./stageWords.ts"

export interface Node {
  readonly name: string
  /** What kind of stage it is, and what it does. */
  readonly kind: string
  readonly detail: string
  /** What else there is to know of it, a line each. */
  readonly notes: ReadonlyArray<string>
}

export interface Edge {
  readonly from: string
  readonly to: string
  /** Which records take it, in words; all, when there is no condition. */
  readonly when: string | undefined
}

export const nodesOf = (definition: Definition): ReadonlyArray<Node> => {
  const meetings = meetingsOf(definition)
  return Object.entries(definition.stages).map(([name, stage]) => {
    const words = stageWords(stage)
    const merged = meetings.has(name) ? [mergeWords[definition.merge]] : []
    return { name, ...words, notes: [...words.notes, ...merged] }
  })
}

export const edgesOf = (definition: Definition): ReadonlyArray<Edge> =>
  Object.entries(definition.stages).flatMap(([to, { from }]) =>
    (from ?? []).map(({ stage, when }) => ({
      from: stage,
      to,
      when: when === undefined ? undefined : conditionText(when)
    }))
  )

/** Where dead letters go besides the log; `undefined` when nowhere. */
export const deadLettersOf = ({ deadLetters }: Definition): Node | undefined =>
  deadLetters.sink === undefined ? undefined : { name: "dead letters", ...deadLetterWords(deadLetters.sink) }

/** What becomes of a record that no edge takes; `undefined` where every stage has an edge for all. */
export const unroutedOf = (definition: Definition): string | undefined => {
  const edges = Object.values(definition.stages).flatMap(({ from }) => from ?? [])
  const always = new Set(edges.filter(({ when }) => when === undefined).map(({ stage }) => stage))
  if (edges.every(({ stage }) => always.has(stage))) return undefined
  return definition.onUnrouted === "drop"
    ? "a record that no edge takes is dropped"
    : "a record that no edge takes is a dead letter"
}

const mergeWords = {
  arrival: "merged as they arrive",
  round_robin: "merged in turns",
  event_time: "merged by event time"
} as const

/** Stages in which records of several sources meet for the first time. */
const meetingsOf = (definition: Definition): ReadonlySet<string> => {
  const next = successors(definition)
  const sources = new Map<string, number>()
  const mixed = new Set<string>()
  const names = Object.keys(definition.stages)
  for (const name of names) {
    if (definition.stages[name]!.source === undefined) continue
    for (const reached of reach([name], next)) sources.set(reached, (sources.get(reached) ?? 0) + 1)
  }
  for (const name of names) {
    const from = definition.stages[name]!.from ?? []
    const before = Math.max(0, ...from.map(({ stage }) => sources.get(stage) ?? 0))
    if (from.length > 1 && (sources.get(name) ?? 0) > before) mixed.add(name)
  }
  return mixed
}

/**
 * The column of each stage: one to the right of everything that leads into it. A valid definition has no
 * cycles; in an invalid one the bound ends the walk.
 */
export const columnsOf = (definition: Definition): ReadonlyMap<string, number> => {
  const names = Object.keys(definition.stages)
  const columns = new Map(names.map((name) => [name, 0]))
  const edges = edgesOf(definition)
  for (let round = 0; round < names.length; round++) {
    let moved = false
    for (const { from, to } of edges) {
      const wanted = (columns.get(from) ?? 0) + 1
      if (wanted <= (columns.get(to) ?? 0)) continue
      columns.set(to, wanted)
      moved = true
    }
    if (!moved) break
  }
  return columns
}

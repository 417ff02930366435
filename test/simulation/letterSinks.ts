/**
 * Topologies whose dead letters go to a sink, and what that sink must hold: exactly the letters that count, once
 * each, in the order of their source.
 *
 * @module
 */
import { assert } from "vitest"
import { mergedTopologies } from "./mergedTopologies.ts"
import { lettersOf } from "./oracles.ts"
import { timedTopologies } from "./timedTopologies.ts"
import { sink, type Topology, topologies } from "./topologies.ts"
import { rowsOf, type World } from "./World.ts"

// biome-ignore lint/suspicious/noExplicitAny: an oracle reads the log as an auditor does, without our types
type Row = any

const dead = "dead"

export const withLetterSink = (topology: Topology, to: object = sink(dead)): Topology => ({
  ...topology,
  definition: { ...(topology.definition as object), dead_letters: { sink: to } },
  ...("name" in to ? { letterSink: dead } : {})
})

/** A sink that takes some letters never, and has no way to write others down: these are in the log alone. */
const picky = withLetterSink(topologies.letters!)

export const letterSinkTopologies: Readonly<Record<string, Topology>> = {
  letters: withLetterSink(topologies.letters!),
  exploded: withLetterSink(topologies.exploded!),
  asked: withLetterSink(topologies.asked!),
  refusing: withLetterSink(timedTopologies.refusing),
  merged: withLetterSink(mergedTopologies.fanInByTime),
  linear: withLetterSink(topologies.linear!),
  picky: {
    ...picky,
    fill: (hub) => {
      picky.fill(hub)
      hub.sink(dead).refuse = (letter) => (isAt(letter, 6) ? "not this letter" : undefined)
      hub.sink(dead).encode = (letter) => {
        if (isAt(letter, 8)) throw new Error("does not fit")
        return letter
      }
    },
    unsent: [6, 8]
  }
}

const isAt = (letter: unknown, offset: number): boolean => (letter as Row).offset === offset

export const checkLetterSink = (world: World, { letterSink, unsent = [] }: Topology, where: string): void => {
  const { records } = world.hub.sink(letterSink!)
  assert.deepStrictEqual(records.map(told), expectedLetters(world, unsent), `${where}: the dead-letter sink`)
}

/** As its lines are to be, told from the rows of the log. */
export const expectedLetters = (world: World, unsent: ReadonlyArray<number> = []): ReadonlyArray<unknown> => {
  const sealed = new Map<string, Row>()
  for (const row of rowsOf(world)) {
    const event: Row = JSON.parse(row.payload)
    if (event._tag === "BatchSealed") for (const letter of event.letters) sealed.set(letter.id, letter)
  }
  return lettersOf(world)
    .filter(({ offset }) => !unsent.includes(offset))
    .sort((a, b) => batchOf(a) - batchOf(b) || Number(isMade(a)) - Number(isMade(b)) || a.offset - b.offset)
    .map(({ branches, id, offset }) => ({ id, offset, branches, raw: sealed.get(id).raw }))
}

/** Ids are `generation.batch.offset`, of what a stage has made `generation.batch.stage.offset`. */
const batchOf = ({ id }: { readonly id: string }): number => Number(id.split(".")[1])
const isMade = ({ id }: { readonly id: string }): boolean => id.split(".").length === 4

/** Of a line, what the log can be asked for. */
export const told = (line: Row): unknown => {
  const { branches, id, offset, raw } = line
  return { id, offset, branches, raw }
}

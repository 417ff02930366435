/**
 * The letters that count in a log with set-backs, told from its rows alone.
 *
 * @module
 */
import { rowsOf, type World } from "./World.ts"

// biome-ignore lint/suspicious/noExplicitAny: an oracle reads the log as an auditor does, without our types
type Row = any

/** What a branch of a record came to: the letter, or `null` where it was decided otherwise. */
type Decided = Map<
  string,
  { readonly offset: number; readonly branch: string; readonly source: string } | null
>

interface Told {
  readonly version: number
  readonly event: Row
}

/**
 * Walks the rows that still count: at a set-back what came after its version is struck out, then what its event
 * opens again is told as if it had just been sealed.
 */
export const lettersThatCount = (
  world: World
): ReadonlyArray<{ offset: number; branches: ReadonlyArray<string> }> => {
  let told: Array<Told> = []
  const seals = new Map<string, Row>()
  for (const row of rowsOf(world)) {
    const event: Row = JSON.parse(row.payload)
    if (event._tag === "BatchSealed") seals.set(`${event.batch}/${event.attempt}`, event)
    if (event._tag === "RunSetBack") told = told.filter(({ version }) => version <= event.version)
    told.push({ version: row.version, event })
  }
  const decided: Decided = new Map()
  const settled = new Set<string>()
  const settle = (batch: number, stage: string, attempt: number): void => {
    if (settled.has(`${batch}/${stage}`)) return
    settled.add(`${batch}/${stage}`)
    const seal = seals.get(`${batch}/${attempt}`)
    for (let index = 0; index < seal.count; index++) {
      const letter = seal.letters.find(
        (each: Row) => each.offset === seal.offset + index && each.branches.includes(stage)
      )
      const place = `${seal.source}/${seal.offset + index}/${stage}`
      const value = { offset: seal.offset + index, branch: stage, source: seal.source }
      decided.set(place, letter === undefined ? null : value)
    }
  }
  for (const { event } of told) {
    if (event._tag === "StageApplied" || event._tag === "DuplicateSuppressed") {
      settle(event.batch, event.stage, event.attempt)
    }
    const sealed = event._tag === "BatchSealed" && event.attempt === 1 ? [event] : []
    const again =
      event._tag === "RunSetBack" ? event.open.map(({ batch }: Row) => seals.get(`${batch}/1`)) : []
    for (const { batch, branches } of [...sealed, ...again]) {
      for (const [stage, of] of Object.entries<Row>(branches)) {
        if (of.records === 0) settle(batch, stage, 1)
      }
    }
  }
  const byOffset = new Map<number, Array<string>>()
  for (const letter of decided.values()) {
    if (letter === null) continue
    byOffset.set(letter.offset, [...(byOffset.get(letter.offset) ?? []), letter.branch])
  }
  return [...byOffset]
    .sort(([a], [b]) => a - b)
    .map(([offset, branches]) => ({ offset, branches: branches.toSorted(byName) }))
}

const byName = (a: string, b: string): number => (a < b ? 1 : -1)

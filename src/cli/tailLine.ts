/**
 * A record that passed, on one line; and the picture that can be frozen.
 *
 * @module
 */
import type { TailFrame } from "../api/tail.ts"
import { cut, plural, type Style, shown } from "./terminal.ts"

type Item = TailFrame["data"]

/** Characters of a record where a person looks. */
const recordMost = 200

export const tailLine = (item: Item, style: Style, isCut: boolean): string => {
  if ("dropped" in item) return style.yellow(`… ${plural(item.dropped, "record")} not shown`)
  const { after, at, before, offset, outcome, reason, source, stage } = item
  const json = (value: unknown) => {
    const text = shown(JSON.stringify(value))
    return isCut ? cut(text, recordMost) : text
  }
  const [from, to] = [json(before), json(after)]
  const parts = [
    style.dim(at.slice(11, 23)),
    `${shown(stage)} ${shown(source)}:${offset}`,
    painted(outcome, style),
    item.cut ? "(too long to be shown)" : from === to || after === null ? from : `${from} → ${to}`,
    ...(reason === null ? [] : [style.red(`${shown(reason.code)}: ${shown(reason.message)}`)])
  ]
  return parts.join("  ")
}

const painted = (outcome: Exclude<Item, { readonly dropped: number }>["outcome"], style: Style): string => {
  const text = outcome.padEnd(11)
  return outcome === "dead_letter" ? style.red(text) : outcome === "filtered" ? style.dim(text) : text
}

/** While it is frozen, what comes is counted and gone. */
export class Freezer {
  isFrozen = false
  #missed = 0

  turn(): void {
    this.isFrozen = !this.isFrozen
  }

  /** What is to be shown for what has come; after a freeze first how much was missed. */
  take(item: Item): ReadonlyArray<Item> {
    if (this.isFrozen) {
      this.#missed += "dropped" in item ? item.dropped : 1
      return []
    }
    const missed = this.#missed
    this.#missed = 0
    return missed === 0 ? [item] : [{ dropped: missed }, item]
  }
}

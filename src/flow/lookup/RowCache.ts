/**
 * What was found in a table that is asked, for a while: the rows used last, and the keys that have none.
 *
 * @module
 */
import type { LookupRow } from "../../drivers/Lookup.ts"

/** `row` is `undefined` where the table had none. */
export interface Remembered {
  readonly row: LookupRow | undefined
}

/** One in a ring around `#ring`: the one used last comes first. */
interface Entry extends Remembered {
  readonly key: string
  /** Milliseconds since 1970; from then on it is forgotten. */
  readonly until: number
  before: Entry
  after: Entry
}

/** Holds at most `size` entries (invariant 7); the one that was used longest ago makes room. */
export class RowCache {
  readonly #size: number
  /** The order of use is kept beside the Map: finding the first key of one that loses its first keys is slow. */
  readonly #entries = new Map<string, Entry>()
  readonly #ring: Entry

  constructor(size: number) {
    this.#size = size
    const ring = { key: "", row: undefined, until: 0 } as Entry
    ring.before = ring
    ring.after = ring
    this.#ring = ring
  }

  get entries(): number {
    return this.#entries.size
  }

  get(key: string, now: number): Remembered | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.until <= now) {
      this.#forget(entry)
      return undefined
    }
    unlink(entry)
    this.#first(entry)
    return entry
  }

  set(key: string, row: LookupRow | undefined, until: number): void {
    if (this.#size === 0) return
    const known = this.#entries.get(key)
    if (known !== undefined) this.#forget(known)
    else if (this.#entries.size >= this.#size) this.#forget(this.#ring.before)
    const entry: Entry = { key, row, until, before: this.#ring, after: this.#ring }
    this.#entries.set(key, entry)
    this.#first(entry)
  }

  #forget(entry: Entry): void {
    unlink(entry)
    this.#entries.delete(entry.key)
  }

  #first(entry: Entry): void {
    entry.before = this.#ring
    entry.after = this.#ring.after
    entry.after.before = entry
    this.#ring.after = entry
  }
}

const unlink = ({ after, before }: Entry): void => {
  before.after = after
  after.before = before
}

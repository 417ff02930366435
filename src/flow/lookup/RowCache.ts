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

interface Entry extends Remembered {
  /** Milliseconds since 1970; from then on it is forgotten. */
  readonly until: number
}

/** Holds at most `size` entries (invariant 7); the one that was used longest ago makes room. */
export class RowCache {
  readonly #size: number
  /** A Map keeps the order of insertion: whatever is used goes to its end. */
  readonly #entries = new Map<string, Entry>()

  constructor(size: number) {
    this.#size = size
  }

  get entries(): number {
    return this.#entries.size
  }

  get(key: string, now: number): Remembered | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.until <= now) return undefined
    this.#entries.set(key, entry)
    return entry
  }

  set(key: string, row: LookupRow | undefined, until: number): void {
    if (this.#size === 0) return
    this.#entries.delete(key)
    if (this.#entries.size >= this.#size) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
    this.#entries.set(key, { row, until })
  }
}

/**
 * The keys a stage has seen, to be asked for: the living side of RememberedKeys.
 *
 * @module
 */
import type { KeysDelta } from "../../../events/BatchMemory.ts"

interface Seen {
  /** Keys are counted as they come. */
  readonly ordinal: number
  /** The latest event time (ms) it came with. */
  readonly time: number
}

/** An entry that is forgotten is cut off once there are so many of them. */
const forgottenMost = 4096

export class KeysSeen {
  readonly #most: number
  readonly #latest = new Map<string, Seen>()
  #queue: Array<string> = []
  /** How many of the queue are forgotten, and the ordinal of the first that is not. */
  #head = 0
  #first = 0
  #fresh = new Map<string, Seen>()
  #added: Array<readonly [key: string, time: number]> = []

  /** At most so many keys are known. */
  constructor(most: number) {
    this.#most = most
  }

  get #next(): number {
    return this.#first + this.#queue.length - this.#head + this.#added.length
  }

  begin(): void {
    this.#fresh = new Map()
    this.#added = []
  }

  /** The latest event time of a key that is known, the records of this batch included. */
  timeOf(key: string): number | undefined {
    const seen = this.#fresh.get(key) ?? this.#latest.get(key)
    return seen !== undefined && seen.ordinal >= this.#next - this.#most ? seen.time : undefined
  }

  add(key: string, time: number): void {
    const latest = Math.max(time, this.timeOf(key) ?? time)
    this.#fresh.set(key, { ordinal: this.#next, time: latest })
    this.#added.push([key, latest])
  }

  /** What this batch has added; with `times` where the stage goes by them. */
  learned(times: boolean): KeysDelta | undefined {
    if (this.#added.length === 0) return undefined
    return {
      keys: this.#added.map(([key]) => key),
      ...(times ? { times: this.#added.map(([, time]) => time) } : {}),
      forget: Math.max(0, this.#next - this.#first - this.#most)
    }
  }

  keep({ forget, keys, times }: KeysDelta): void {
    this.begin()
    for (const [index, key] of keys.entries()) {
      this.#latest.set(key, { ordinal: this.#next, time: times?.[index] ?? 0 })
      this.#queue.push(key)
    }
    for (let left = forget; left > 0 && this.#head < this.#queue.length; left--) this.#forget()
    if (this.#head < forgottenMost || this.#head * 2 < this.#queue.length) return
    this.#queue = this.#queue.slice(this.#head)
    this.#head = 0
  }

  #forget(): void {
    const key = this.#queue[this.#head]!
    // One that came again since is known by its later entry.
    if (this.#latest.get(key)?.ordinal === this.#first) this.#latest.delete(key)
    this.#head++
    this.#first++
  }
}

/**
 * A place for events that can be written in two ways: as our log does, and by inserting rows.
 *
 * @module
 */

/** Writes one event after the other, `writers` at once, for so many milliseconds; answers events a second. */
export type Trial = (ms: number) => Promise<number>

export interface Store {
  /** Each writer appends to a stream of its own and waits for each answer, as an actor does. */
  readonly appends: (writers: number) => Promise<Trial>
  /** The same rows, one insert and one commit each, without a log around them. */
  readonly inserts: (writers: number) => Promise<Trial>
  readonly close: () => Promise<void>
}

/** Runs all writers until time is up. `write` stores one event. */
export const rateOf = async (ms: number, writers: ReadonlyArray<() => Promise<unknown>>): Promise<number> => {
  let count = 0
  const began = performance.now()
  const end = began + ms
  await Promise.all(
    writers.map(async (write) => {
      while (performance.now() < end) {
        await write()
        count += 1
      }
    })
  )
  return (count / (performance.now() - began)) * 1000
}

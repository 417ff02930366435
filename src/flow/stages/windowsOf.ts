/**
 * The windows that an instant belongs to.
 *
 * @module
 */
import type { Window } from "../../../events/Definition.ts"

/** From `start` up to, not including, `end`: ms since 1970. */
export interface Extent {
  readonly start: number
  readonly end: number
}

/**
 * In the order of their start; none between windows that slide further than they are long. Windows lie at
 * multiples of their length, sliding ones of `every`, counted from 1970 in UTC, before it as well as after.
 * A session is that of a single record.
 */
export const windowsOf = (window: Window): ((at: number) => ReadonlyArray<Extent>) => {
  if ("session" in window) return (at) => [{ start: at, end: at + window.session }]
  const length = "tumbling" in window ? window.tumbling : window.sliding
  const every = "tumbling" in window ? window.tumbling : window.every
  return (at) => {
    const windows: Array<Extent> = []
    // The remainder is exact where a quotient of large numbers is not.
    const into = ((at % every) + every) % every
    for (let start = at - into; start + length > at; start -= every)
      windows.push({ start, end: start + length })
    return windows.reverse()
  }
}

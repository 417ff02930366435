/**
 * How deep and how large a JSON value is, as far as a bound asks.
 *
 * @module
 */

export interface Bounds {
  /** Lists and objects inside each other. */
  readonly depth: number
  /** Values, lists and objects included. */
  readonly values: number
}

/**
 * Which bound a value goes beyond; `undefined` when it stays within both. It walks without recursion and stops at the first
 * bound, so that neither a value nested a million times nor one that holds itself is trouble.
 */
export const beyond = (value: unknown, bounds: Bounds): keyof Bounds | undefined => {
  const open: Array<readonly [value: unknown, depth: number]> = [[value, 0]]
  let values = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [inner, depth] = next
    if (++values > bounds.values) return "values"
    if (typeof inner !== "object" || inner === null) continue
    if (depth >= bounds.depth) return "depth"
    for (const each of Object.values(inner)) {
      // What is waiting counts as well, or a wide value would fill memory before it is counted.
      if (values + open.length > bounds.values) return "values"
      open.push([each, depth + 1])
    }
  }
  return undefined
}

/**
 * The dead-letter threshold: more than `threshold` dead letters among the last `window` records of a
 * source stop the run. A pure function of offsets, so that a resumed run trips where an undisturbed
 * one would.
 *
 * @module
 */

/**
 * The offset of the record that trips the threshold, or `undefined`. `earlier` are offsets of dead
 * letters already sealed, `fresh` those of the batch at hand, both ascending. A window of 0 is no limit.
 */
export const trippingOffset = (
  limits: { readonly window: number; readonly threshold: number },
  earlier: ReadonlyArray<number>,
  fresh: ReadonlyArray<number>
): number | undefined => {
  if (limits.window === 0) return undefined
  const ring = [...earlier]
  if (ring.length > limits.threshold) return ring.at(-1)
  for (const offset of fresh) {
    ring.push(offset)
    while (ring[0]! <= offset - limits.window) ring.shift()
    if (ring.length > limits.threshold) return offset
  }
  return undefined
}

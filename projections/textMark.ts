/**
 * A short stand-in for a long text, to tell whether it is the same as before where the text itself is not kept.
 *
 * @module
 */

/** Two 32-bit FNV-1a sums over the UTF-16 code units, from different beginnings, and the length. */
export const textMark = (text: string): string => {
  let one = 0x811c9dc5
  let other = 0x2166136f
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    one = Math.imul(one ^ unit, 0x01000193)
    // The second sum takes the units turned, or it would collide wherever the first one does.
    other = Math.imul(other ^ ((unit << 7) | (unit >>> 9)) ^ index, 0x01000193)
  }
  return `${text.length}-${hex(one)}${hex(other)}`
}

const hex = (sum: number): string => (sum >>> 0).toString(16).padStart(8, "0")

/**
 * Finds where an element of a JSON array ends, without parsing it.
 *
 * Only strings and the depth of brackets are followed, and brackets are not matched by kind: the text
 * found is judged by `JSON.parse`. So an element that is broken inside ends at its own comma as long as
 * its quotes and the number of its brackets are right, and reading goes on behind it.
 *
 * @module
 */

/** One element. What it has seen outlives a text, so that an element may go on in the next one. */
export class ValueScan {
  private depth = 0
  private quoted = false
  private escaped = false

  /** Index of the comma or bracket that ends the element, -1 when it goes on behind the text. */
  find(text: string, from: number): number {
    let { depth, quoted } = this
    let at = this.escaped ? from + 1 : from
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (quoted) {
        if (code === backslash) at++
        else if (code === quote) quoted = false
      } else if (code === quote) quoted = true
      else if (code === comma) {
        if (depth === 0) return at
      } else if (code === openBracket || code === openBrace) depth++
      else if (code === closeBracket) {
        if (depth === 0) return at
        depth--
      } else if (code === closeBrace && depth > 0) depth--
    }
    this.escaped = at > text.length
    this.depth = depth
    this.quoted = quoted
    return -1
  }
}

export const comma = 44
export const openBracket = 91
export const closeBracket = 93
const quote = 34
const backslash = 92
const openBrace = 123
const closeBrace = 125

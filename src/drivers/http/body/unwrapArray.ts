/**
 * The elements of a JSON array as lines. Numbers stay as they were written; white space between the parts of
 * an element goes.
 *
 * @module
 */
import type { Body, Incoming } from "./Body.ts"

/** `body` is one well-formed array, maybe behind a byte order mark. */
export const unwrapArray = async (body: Body, incoming: Incoming): Promise<Body> => {
  const lines = incoming.body()
  try {
    const unwrap = unwrapper()
    for await (const chunk of body.chunks(0)) await lines.add(unwrap(chunk))
    return await lines.done()
  } catch (cause) {
    await lines.discard()
    throw cause
  }
}

/** Never makes a text longer: each byte becomes one, or none. */
const unwrapper = () => {
  let depth = 0
  let quoted = false
  let escaped = false
  return (chunk: Buffer): Buffer => {
    const out = Buffer.allocUnsafeSlow(chunk.length)
    let length = 0
    for (const byte of chunk) {
      let put = byte
      if (quoted) {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = true
        else if (byte === quote) quoted = false
      } else if (byte === quote) quoted = true
      else if (byte === openBracket || byte === openBrace) {
        if (depth++ === 0) continue
      } else if (byte === closeBracket || byte === closeBrace) {
        if (--depth === 0) put = lineFeed
      } else if (byte === comma && depth === 1) put = lineFeed
      else if (byte === space || byte === tab || byte === lineFeed || byte === carriageReturn) continue
      // Before the array stands a byte order mark at most.
      if (depth > 0 || put === lineFeed) out[length++] = put
    }
    return out.subarray(0, length)
  }
}

const [quote, backslash, openBracket, closeBracket] = [0x22, 0x5c, 0x5b, 0x5d]
const [openBrace, closeBrace, comma] = [0x7b, 0x7d, 0x2c]
const [lineFeed, carriageReturn, space, tab] = [0x0a, 0x0d, 0x20, 0x09]

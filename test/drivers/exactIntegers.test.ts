/**
 * Invariant 8 for numbers: what cannot be held exactly is refused, never rounded.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import fc from "fast-check"
import {
  mayHoldLargeIntegers,
  parseExactly,
  UnsafeInteger
} from "../../src/drivers/file/json/exactIntegers.ts"

it("finds a run of sixteen digits wherever it stands", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a,]{0,80}$/), (text) => {
      assert.strictEqual(mayHoldLargeIntegers(Buffer.from(text)), /[0-9]{16}/.test(text))
    }),
    { numRuns: 2000 }
  )
})

it("refuses what would be rounded and takes the rest", () => {
  assert.throws(() => parseExactly('{"a":[9007199254740993]}'), UnsafeInteger)
  assert.throws(() => parseExactly("-90071992547409931"), UnsafeInteger)
  for (const text of ["9007199254740991", "0.12345678901234567", "1e300", '"9007199254740993"']) {
    assert.deepStrictEqual(parseExactly(text), JSON.parse(text))
  }
})

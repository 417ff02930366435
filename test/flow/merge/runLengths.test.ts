import { it } from "@effect/vitest"
import { Schema } from "effect"
import { assert } from "vitest"
import { packed, unpacked } from "../../../src/flow/merge/runLengths.ts"

const Few = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })))

it.prop(
  "what was packed comes out as it was",
  [Few, Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 }))],
  ([numbers, cycle]) => {
    assert.deepStrictEqual(unpacked(packed(numbers, cycle)), numbers)
  },
  { arbitrary: { runs: 500, size: 40 } }
)

it("runs and turns are short", () => {
  const turns = Array.from({ length: 999 }, (_, index) => index % 3)
  assert.strictEqual(packed([], 3), "")
  assert.strictEqual(packed([0, 0, 0, 1], 3), "0x3 1")
  assert.strictEqual(packed([2, ...turns, 0, 1, 1], 3), "(2 0 1)x333 2 0 1x2")
  assert.strictEqual(packed([0, 0, 1, 0, 0, 1, 0, 0, 1], 2), "(0x2 1)x3")
  assert.strictEqual(packed([1000, 1000, 12], 1), "1000x2 12")
})

import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { differences } from "../../../src/pipeline/rehearse/differences.ts"
import { includes, isSame } from "../../../src/pipeline/rehearse/includes.ts"

const Letters = Schema.Array(Schema.Literals(["a", "b", "c", "d"])).check(Schema.isMaxLength(12))

describe("differences", () => {
  it("are none of equal lists, whatever the order of their fields", () => {
    assert.deepEqual(differences([{ a: 1, b: [{ c: null }] }], [{ b: [{ c: null }], a: 1 }]), [])
    assert.lengthOf(differences([{ a: null }], [{}]), 1, "null is not nothing")
    assert.lengthOf(differences([[1, 2]], [[2, 1]]), 1, "the order of a list counts")
  })

  it("tell a missing record, one too many, and the fields of one that differs", () => {
    const [a, b, c] = [{ id: 1 }, { id: 2, by: { x: 1, y: 2 } }, { id: 3 }]
    assert.deepEqual(differences([a, b, c], [a, c]), [{ kind: "missing", at: 1, expected: b }])
    assert.deepEqual(differences([a, c], [a, b, c]), [{ kind: "unexpected", index: 1, got: b }])
    const other = { id: 2, by: { x: 1, z: 3 } }
    assert.deepEqual(differences([a, b, c], [a, other, c]), [
      {
        kind: "differs",
        at: 1,
        index: 1,
        expected: b,
        got: other,
        fields: [
          { pointer: "/by/y", expected: 2 },
          { pointer: "/by/z", got: 3 }
        ]
      }
    ])
  })

  it.prop(
    "account for every record on both sides, and for as few as they can",
    [Letters, Letters],
    ([left, right]) => {
      const found = differences(left, right)
      const count = (...kinds: ReadonlyArray<string>) =>
        found.filter(({ kind }) => kinds.includes(kind)).length
      const agreed = left.length - count("missing", "differs")
      assert.equal(agreed, right.length - count("unexpected", "differs"))
      assert.equal(agreed, commonLength(left, right))
      for (const each of found) {
        if (each.kind !== "unexpected") assert.equal(left[each.at], each.expected)
        if (each.kind !== "missing") assert.equal(right[each.index], each.got)
      }
    }
  )

  it("of lists too long to compare are told by their place, soon", () => {
    const left = Array.from({ length: 5000 }, (_, id) => ({ id }))
    const found = differences(left, [{ id: -1 }, ...left.slice(1, -1), { id: -2 }])
    assert.deepEqual(
      found.map(({ kind }) => kind),
      ["differs", "differs"]
    )
  })
})

/** The longest common subsequence, by its definition. */
const commonLength = (left: ReadonlyArray<unknown>, right: ReadonlyArray<unknown>): number => {
  if (left.length === 0 || right.length === 0) return 0
  const known = new Map<string, number>()
  const from = (row: number, column: number): number => {
    if (row === left.length || column === right.length) return 0
    const id = `${row},${column}`
    const before = known.get(id)
    if (before !== undefined) return before
    const most =
      left[row] === right[column]
        ? 1 + from(row + 1, column + 1)
        : Math.max(from(row + 1, column), from(row, column + 1))
    known.set(id, most)
    return most
  }
  return from(0, 0)
}

it.prop("a value is the same as itself, and includes itself", [Schema.Json], ([value]) => {
  assert.isTrue(isSame(value, structuredClone(value)))
  assert.isTrue(includes(value, structuredClone(value)))
})

it("a part is of objects at any depth, and never of a list", () => {
  assert.isTrue(includes({ a: { b: 1, c: 2 }, d: 3 }, { a: { b: 1 } }))
  assert.isFalse(includes({ a: [1, 2] }, { a: [1] }))
  assert.isFalse(includes({ a: 1 }, { a: 1, b: undefined }))
})

/**
 * A batch as a stage sees it: what its marks mean, and that places do not move under them.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Batch, type Flag } from "../../src/flow/Batch.ts"
import { nack, retry } from "../../src/flow/Nack.ts"

const five = () => Batch.make<string, string>(["a", "b", "c", "d", "e"], 100)
const flags = (batch: Batch<string>): ReadonlyArray<Flag> => batch.outcomes.map(({ flag }) => flag)
const active = (batch: Batch<string>) =>
  batch.activeRecords.map(({ at, offset, payload }) => [at, offset, payload])

describe("a batch", () => {
  it("acknowledges what nobody marks", () => {
    assert.deepStrictEqual<unknown>(
      five().outcomes.map(({ errors, flag, offset, payloads }) => [offset, flag, errors.length, payloads]),
      [100, 101, 102, 103, 104].map((offset, at) => [offset, "ack", 0, [[..."abcde"][at]]])
    )
  })

  it("takes half-open ranges, and one record without an end", () => {
    const batch = five()
    batch.filter(1)
    batch.retry(2, 4)
    batch.filter(4, 4)
    assert.deepStrictEqual(flags(batch), ["ack", "filter", "retry", "retry", "ack"])
  })

  it("nacks as many records as there are errors, each with its own", () => {
    const batch = five()
    batch.nack(1, nack("no b", "no_b"), "no c")
    assert.deepStrictEqual(flags(batch), ["ack", "nack", "nack", "ack", "ack"])
    assert.deepStrictEqual(
      batch.outcomes.slice(1, 3).map(({ errors }) => errors),
      [[{ code: "no_b", message: "no b" }], [{ code: "stage_failed", message: "no c" }]]
    )
  })

  it("hides what is filtered, and nothing changes its status any more", () => {
    const batch = five()
    batch.filter(1, 3)
    batch.retry(0, 5)
    batch.nack(1, "too late")
    batch.setRecords(2, ["C"])
    batch.split(1, ["b1", "b2"])
    assert.deepStrictEqual(flags(batch), ["retry", "filter", "filter", "retry", "retry"])
    assert.deepStrictEqual(active(batch), [
      [0, 100, "a"],
      [3, 103, "d"],
      [4, 104, "e"]
    ])
    assert.deepStrictEqual(batch.outcomes[1]?.errors, [])
  })

  it("a nack stays one: no retry and no filter takes it back", () => {
    const batch = five()
    batch.retry(0)
    batch.nack(0, "broken")
    batch.retry(0)
    batch.filter(0)
    assert.deepStrictEqual(flags(batch)[0], "nack")
  })

  it("of what fails as a whole, only what is not marked fails", () => {
    const batch = five()
    batch.filter(0)
    batch.nack(1, "mine")
    batch.retry(2)
    batch.failRest(new Error("all of them"))
    assert.deepStrictEqual(flags(batch), ["filter", "nack", "retry", "nack", "nack"])
    assert.deepStrictEqual(batch.outcomes[1]?.errors, [{ code: "stage_failed", message: "mine" }])
    const later = five()
    later.failRest(retry("soon"))
    assert.deepStrictEqual(new Set(flags(later)), new Set(["retry"]))
  })

  it("has the pieces of a split record in its one place", () => {
    const batch = five()
    batch.setRecords(0, ["A", "B"])
    batch.split(1, ["B1", "B2"])
    batch.split(3, [])
    assert.deepStrictEqual(active(batch), [
      [0, 100, "A"],
      [1, 101, "B1"],
      [1, 101, "B2"],
      [2, 102, "c"],
      [4, 104, "e"]
    ])
    assert.deepStrictEqual(batch.answer(), [
      { _tag: "Passed", payload: "A" },
      { _tag: "Many", payloads: ["B1", "B2"] },
      { _tag: "Passed", payload: "c" },
      { _tag: "Many", payloads: [] },
      { _tag: "Passed", payload: "e" }
    ])
  })

  it("says at once what is no range of it", () => {
    const wrong: ReadonlyArray<(batch: Batch<string>) => void> = [
      (batch) => batch.filter(-1),
      (batch) => batch.filter(5),
      (batch) => batch.filter(3, 2),
      (batch) => batch.retry(0, 6),
      (batch) => batch.retry(0.5),
      (batch) => batch.nack(4, "e", "and one more"),
      (batch) => batch.nack(0),
      (batch) => batch.setRecords(3, ["D", "E", "F"]),
      (batch) => batch.split(5, ["f"])
    ]
    for (const mark of wrong) {
      const batch = five()
      assert.throws(() => mark(batch), /range|needs an error/)
      assert.deepStrictEqual(new Set(flags(batch)), new Set(["ack"]), "nothing is half marked")
    }
  })

  it("that has been answered is marked no more", () => {
    const batch = five()
    batch.answer()
    assert.throws(() => batch.filter(0), /has been answered/)
  })
})

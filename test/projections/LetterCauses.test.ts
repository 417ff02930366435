import { assert, describe, it } from "@effect/vitest"
import type { DeadLetter } from "../../projections/DeadLetters.ts"
import * as LetterCauses from "../../projections/LetterCauses.ts"

const letter = (offset: number, message: string, more: Partial<DeadLetter> = {}): DeadLetter => ({
  ...{ id: `0.0.${offset}`, source: "in", offset, stage: "clean", branches: ["out"] },
  ...{ reason: { code: "broken", message }, raw: { encoding: "utf8", data: "{}", size: 2 } },
  ...{ run: "r", batch: 0, attempts: 1, ...more }
})

const causes = (...letters: ReadonlyArray<DeadLetter>) =>
  letters.reduce((state, each, index) => LetterCauses.added(state, each, index), LetterCauses.initial)

describe("causes of dead letters", () => {
  it.each([
    ["size 12 is above -3.5e4", "size … is above …"],
    ['"ab\n1" is no date', "… is no date"],
    ["it can't be 'x', and isn't `y`", "it can't be …, and isn't …"],
    ["flight LH-470 at 2026-11-21T08:00:00.000Z", "flight … at …"],
    ["no value at /a/b", "no value at /a/b"]
  ])("%j is told as %j", (message, masked) => {
    assert.strictEqual(LetterCauses.masked(message), masked)
  })

  it("are one where messages differ in values alone, the most frequent first", () => {
    const list = LetterCauses.list(
      causes(
        letter(1, "not found"),
        letter(2, "size 1"),
        letter(3, "size 2", { redriving: true }),
        letter(4, "size 3", { stage: "other" })
      )
    )
    assert.deepEqual(
      list.map(({ count, first, firstAt, last, lastAt, message, redriving, stage }) => [
        ...[message, stage, count, redriving],
        ...[first, firstAt, last, lastAt]
      ]),
      [
        ["size …", "clean", 2, 1, "0.0.2", 1, "0.0.3", 2],
        ["not found", "clean", 1, 0, "0.0.1", 0, "0.0.1", 0],
        ["size …", "other", 1, 0, "0.0.4", 3, "0.0.4", 3]
      ]
    )
  })

  it("are bounded, and so are their examples", () => {
    const many = Array.from({ length: LetterCauses.causesMost + 5 }, (_, offset) =>
      letter(offset, "x", {
        stage: `s${offset}`,
        raw: { encoding: "utf8", data: "y".repeat(9000), size: 9000 }
      })
    )
    const state = causes(...many, many[0]!)
    assert.lengthOf(LetterCauses.list(state), LetterCauses.causesMost)
    assert.strictEqual(state.omitted, 5)
    const [most] = LetterCauses.list(state)
    assert.deepEqual([most?.count, most?.example.raw.data.length, most?.example.raw.size], [2, 1024, 9000])
  })
})

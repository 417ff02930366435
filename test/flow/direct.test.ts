import { Result } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compileCondition, compileValue, type Scope } from "../../src/flow/expression/Expression.ts"

const operands = [
  "record.a",
  "record.b",
  "record.a.b",
  "record.b.a.b",
  "record.toString",
  "2",
  "0",
  "-1"
].concat(["1.5", "9007199254740993", '"x"', '""', "true", "null", "record.constructor"])

const expression: fc.Arbitrary<string> = fc.letrec<{ readonly text: string }>((tie) => ({
  text: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(...operands),
    fc
      .tuple(
        tie("text"),
        fc.constantFrom("+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "&&", "||"),
        tie("text")
      )
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    tie("text").map((text) => `!${text}`)
  )
})).text

const leaf = fc.constantFrom<unknown>(0, 1, 2, 1.5, -0, "x", "", "1", true, false, null, [1], 2 ** 60)
const inner = fc.dictionary(fc.constantFrom("a", "b", "constructor"), leaf)
const object = fc.dictionary(fc.constantFrom("a", "b", "toString"), fc.oneof(leaf, inner))
const record = fc.oneof({ weight: 9, arbitrary: object }, { weight: 1, arbitrary: leaf })

/** Its value, or why it has none; where the reason stands in the text differs with the text. */
const told = (run: (scope: Scope) => unknown, record: unknown): unknown => {
  try {
    return { value: run({ record, metadata: {}, key: null, event_time: null }) }
  } catch (error) {
    return { reason: (error as Error).message }
  }
}

describe("an expression of plain fields", () => {
  // The evaluator alone knows this shape, so what it answers does not come from the shortcut.
  const evaluated = (text: string) => `[${text}][0]`

  it("has the value the evaluator gives it, or its reason for having none", () => {
    fc.assert(
      fc.property(expression, record, (text, of) => {
        const [direct, slow] = [compileValue(text), compileValue(evaluated(text))]
        fc.pre(Result.isSuccess(direct) && Result.isSuccess(slow))
        expect(told(Result.getOrThrow(direct), of)).toEqual(told(Result.getOrThrow(slow), of))
      }),
      { numRuns: 3000 }
    )
  })

  it("is the same condition", () => {
    fc.assert(
      fc.property(expression, record, (text, of) => {
        const [direct, slow] = [compileCondition(text), compileCondition(evaluated(text))]
        fc.pre(Result.isSuccess(direct) && Result.isSuccess(slow))
        expect(told(Result.getOrThrow(direct), of)).toEqual(told(Result.getOrThrow(slow), of))
      }),
      { numRuns: 3000 }
    )
  })
})

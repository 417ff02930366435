/**
 * Only records that fit a contract go on.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { Validate } from "../../../events/definition/Validate.ts"
import { dropped } from "../../../src/flow/route/Route.ts"
import { compileValidate } from "../../../src/flow/stages/compileValidate.ts"

const scope = { record: null, metadata: {}, key: null, event_time: null }
const step = (wire: typeof Validate.Encoded, fits?: Parameters<typeof compileValidate>[2]) =>
  Effect.map(
    compileValidate("v", Schema.decodeSync(Validate)(wire), fits),
    ({ step }) =>
      (payload: unknown) =>
        Result.try({
          try: () => step!(payload, scope),
          catch: (error) => {
            const { code, message } = error as { readonly code: string; readonly message: string }
            return [code, message]
          }
        })
  )

describe("validate", () => {
  const contract = { n: "number", note: "string?" }

  it.effect("hands on what fits as it is, and says what is wrong with the rest", () =>
    Effect.gen(function* () {
      const check = yield* step({ contract })
      const fitting = { n: 1, more: true }
      assert.strictEqual(Result.getOrThrow(check(fitting)), fitting)
      assert.deepStrictEqual(check({ n: "1" }), Result.fail(["contract_violation", "/n: string, not number"]))
    })
  )

  it.effect("drops instead, where it is told to", () =>
    Effect.gen(function* () {
      const check = yield* step({ contract, on_invalid: "drop" })
      assert.deepStrictEqual(check({ n: "1" }), Result.succeed(dropped))
      assert.deepStrictEqual(check({ n: 1 }), Result.succeed({ n: 1 }))
    })
  )

  it.effect("a program's schema has the last word: a contract cannot say everything", () =>
    Effect.gen(function* () {
      const check = yield* step({ contract }, (payload) =>
        (payload as { readonly n: number }).n % 2 === 0 ? undefined : { code: "odd", message: "no" }
      )
      assert.deepStrictEqual(check({ n: 1 }), Result.fail(["odd", "no"]))
      assert.deepStrictEqual(check({ n: 2 }), Result.succeed({ n: 2 }))
    })
  )

  it.effect("a contract that is none is said before anything runs", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(step({ contract: { n: "numbre" } }))
      assert.match(error.message, /bad_contract.*validate.*contract/s)
    })
  )
})

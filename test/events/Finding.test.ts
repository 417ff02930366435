/**
 * What is wrong with what a person wrote, and where.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { finding, isError, pointer } from "../../events/Finding.ts"

it("a pointer is RFC 6901", () => {
  assert.strictEqual(pointer([]), "")
  assert.strictEqual(pointer(["stages", "a/b", "c~d", 0, ""]), "/stages/a~1b/c~0d/0/")
  assert.strictEqual(pointer(["~1"]), "/~01")
})

it("a suggestion is there or not, never undefined", () => {
  assert.deepStrictEqual(finding("no_sink", ["stages"], "there is no sink"), {
    severity: "error",
    code: "no_sink",
    pointer: "/stages",
    message: "there is no sink"
  })
  assert.include(finding("no_sink", [], "there is no sink", "add one"), { suggestion: "add one" })
})

it("a warning is no error", () => {
  const wrong = finding("no_sink", [], "there is no sink")
  assert.isTrue(isError(wrong))
  assert.isFalse(isError({ ...wrong, severity: "warning" }))
})

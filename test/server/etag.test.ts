import { assert, describe, it } from "@effect/vitest"
import { refuseStale } from "../../src/server/etag.ts"

describe("If-Match", () => {
  it.each([
    [undefined, 3, undefined],
    [undefined, undefined, undefined],
    ['"3"', 3, undefined],
    ["*", 3, undefined],
    ['"1", "3"', 3, undefined],
    ['"2"', 3, "VersionMismatch"],
    ["3", 3, "VersionMismatch"],
    ['W/"3"', 3, "VersionMismatch"],
    ["*", undefined, "VersionMismatch"],
    ['"3"', undefined, "VersionMismatch"]
  ])("%s at version %s is %s", (ifMatch, version, code) => {
    assert.strictEqual(refuseStale(ifMatch, version)?.error_code, code)
  })
})

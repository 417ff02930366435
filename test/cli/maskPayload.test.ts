import { assert, describe, it } from "vitest"
import { maskOf, maskPayload } from "../../src/cli/maskPayload.ts"

const masked = (payload: unknown) => maskPayload(JSON.stringify(payload), maskOf(new Uint8Array(32)))

describe("a masked event", () => {
  it("has nothing of what a letter was edited to, and still says that it was", () => {
    const text = masked({
      _tag: "RedriveRequested",
      letters: [{ letter: "0.0.1", n: 1, branches: ["out"], sealed: 3 }],
      edits: [
        {
          letter: "0.0.1",
          payload: { name: "Ada", born: 1815 },
          changes: [{ path: "/name", before: "Adda", after: "Ada" }]
        }
      ],
      reason: "spelt wrongly"
    })
    assert.notMatch(text, /Ada|Adda|1815/)
    const { edits, letters, reason } = JSON.parse(text)
    assert.deepEqual(
      [letters[0].n, edits[0].letter, edits[0].changes[0].path, reason],
      [...[1, "0.0.1", "/name", "spelt wrongly"]]
    )
    assert.match(edits[0].payload, /^masked:/)
  })

  it("has the code of why a redrive was not handled, and not its message", () => {
    const failure = {
      stage: "in",
      branches: ["out"],
      reason: { code: "broken", message: "Ada is no number" }
    }
    const text = masked({ _tag: "RedriveSealed", letter: "0.0.1", n: 1, attempt: 1, branches: {}, failure })
    assert.notInclude(text, "Ada")
    assert.strictEqual(JSON.parse(text).failure.reason.code, "broken")
    assert.isNull(JSON.parse(masked({ _tag: "RedriveSealed", failure: null })).failure)
  })
})

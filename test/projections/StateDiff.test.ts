import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { evolve, initial, type PipelineState, replay } from "../../projections/PipelineState.ts"
import { type Difference, diff } from "../../projections/StateDiff.ts"
import { Choice, legalHistory } from "../fixtures/drive.ts"
import { applied, defined, running, sealed } from "../fixtures/events.ts"

const ordinals = (batches: ReadonlyArray<{ readonly batch: number }>) =>
  Object.fromEntries(batches.map((batch) => [batch.batch, batch]))

/** The state with its batches by ordinal, as the paths of a diff have it. */
const plain = (state: PipelineState): unknown => {
  const { memory } = state.run ?? {}
  const run =
    memory === undefined ? state.run : { ...state.run, memory: { ...memory, later: ordinals(memory.later) } }
  return JSON.parse(JSON.stringify({ ...state, run, open: ordinals(state.open) }))
}

/** Does to a value what a diff says. */
const patched = (value: unknown, differences: ReadonlyArray<Difference>): unknown => {
  const root = { value: structuredClone(value) } as Record<string, unknown>
  for (const { path, ...difference } of differences) {
    const keys = ["value", ...path.split("/").slice(1)].map((key) =>
      key.replaceAll("~1", "/").replaceAll("~0", "~")
    )
    let parent = root
    for (const key of keys.slice(0, -1)) parent = parent[key] as Record<string, unknown>
    const last = keys.at(-1)!
    if (!("after" in difference)) delete parent[last]
    else parent[last] = structuredClone(difference.after)
  }
  return root.value
}

describe("the difference of two states", () => {
  it.prop(
    "is all there is: with it the one becomes the other, in both directions",
    [Schema.Array(Choice).check(Schema.isMinLength(20)), Choice],
    ([choices, cut]) => {
      const history = legalHistory(choices)
      const before = replay(history.slice(0, cut % history.length))
      const after = replay(history)
      assert.deepEqual(patched(plain(before), diff(before, after)), plain(after))
      assert.deepEqual(patched(plain(after), diff(after, before)), plain(before))
      // A state read back from a snapshot shares nothing with this one, and is no different.
      assert.deepEqual(diff(after, structuredClone(after)), [])
    },
    { arbitrary: { runs: 100, size: 60 } }
  )

  it("names the fields that changed, and a batch by its ordinal", () => {
    const before = replay([...running, sealed(0), sealed(1)])
    const after = [applied("a", 0), applied("b", 0)].reduce(evolve, before)
    const found = diff(before, after)
    assert.deepInclude(found, { path: "/run/counts/applied/a", before: 0, after: 10 })
    const gone = found.find(({ path }) => path === "/open/0")
    assert.isUndefined(gone?.after)
    assert.containSubset(gone?.before, { batch: 0 })
    assert.notInclude(JSON.stringify(found.map(({ path }) => path)), "/open/1")
  })

  it("escapes names that people chose", () => {
    const named = { ...defined, settings: { "a/b~c": 1 } }
    assert.deepInclude(
      diff(evolve(initial, named), evolve(initial, { ...named, settings: { "a/b~c": 2 } })),
      {
        path: "/definition/settings/a~1b~0c",
        before: 1,
        after: 2
      }
    )
  })
})

import { assert, describe, it } from "@effect/vitest"
import {
  commandId,
  commandsMost,
  evolve,
  find,
  initial,
  type RememberedCommands
} from "../../projections/RememberedCommands.ts"

const fold = (ids: ReadonlyArray<string | null>, from: RememberedCommands = initial): RememberedCommands =>
  ids.reduce((state, correlationId, index) => evolve(state, { correlationId, version: index + 1 }), from)

describe("RememberedCommands", () => {
  it("knows from where to where a command's events go, between those of others", () => {
    const state = fold([
      null,
      commandId("a1", "00"),
      "a run's own id",
      commandId("b2", "01"),
      commandId("a1", "00")
    ])
    assert.deepEqual(find(state, "a1"), { key: "a1", request: "00", first: 2, last: 5 })
    assert.deepEqual(find(state, "b2"), { key: "b2", request: "01", first: 4, last: 4 })
    assert.isUndefined(find(state, "c3"))
  })

  it("remembers the last 1,000", () => {
    const ids = Array.from({ length: commandsMost + 5 }, (_, index) => commandId(index.toString(16), "00"))
    const state = fold(ids)
    assert.lengthOf(state, 1000)
    assert.isUndefined(find(state, (4).toString(16)))
    assert.isDefined(find(state, (5).toString(16)))
  })
})

import { Result } from "effect"
import { expect, it } from "vitest"
import { decodeDefinition } from "../../../events/Definition.ts"
import { sourceGroups } from "../../../src/flow/graph/sourceGroups.ts"
import { validateGraph } from "../../../src/flow/graph/validateGraph.ts"

const source = { source: { use: "memory" } }
const to = (...from: ReadonlyArray<string>) => ({ from, sink: { use: "memory" } })
const filter = (...from: ReadonlyArray<string>) => ({ from, filter: "record.x == 1" })
const of = (stages: Record<string, unknown>, merge: string) =>
  Result.getOrThrow(decodeDefinition({ name: "p", stages, merge }))

it.each<[string, Record<string, unknown>, ReadonlyArray<ReadonlyArray<string>>]>([
  ["that meet in a sink", { a: source, b: source, z: to("a", "b") }, [["a", "b"]]],
  ["that meet nowhere", { a: source, b: source, y: to("a"), z: to("b") }, [["a"], ["b"]]],
  ["of a diamond, which are one", { a: source, b: filter("a"), c: filter("a"), z: to("b", "c") }, [["a"]]],
  [
    "that are connected by others",
    {
      d: source,
      a: source,
      b: source,
      c: source,
      x: to("c", "b"),
      y: filter("a", "b"),
      z: to("y"),
      w: to("d")
    },
    [["d"], ["a", "b", "c"]]
  ]
])("sources %s", (_, stages, groups) => {
  expect(sourceGroups(of(stages, "round_robin"))).toEqual(groups)
  expect(sourceGroups(of(stages, "arrival"))).toEqual(groups.flat().map((name) => [name]))
})

it("sources merged by event time all say when their records happened", () => {
  const timed = { ...source, event_time: { field: "at" } }
  const found = (stages: Record<string, unknown>, merge = "event_time") =>
    validateGraph(of(stages, merge)).map(({ code, pointer }) => `${code} ${pointer}`)
  const meeting = { a: timed, b: source, y: to("a", "b") }
  expect(found(meeting)).toEqual(["missing_event_time /stages/b/event_time"])
  expect(found({ ...meeting, b: timed })).toEqual([])
  expect(found(meeting, "round_robin")).toEqual([])
})

import { Result } from "effect"
import { expect, it } from "vitest"
import { encodeDefinition } from "../../events/Definition.ts"
import { parsePipelineFile } from "../../src/config/PipelineFile.ts"
import { Condition, File, Pipeline } from "../../src/index.ts"

it("conditions of a program and of a file are the same data", () => {
  const late = Condition.field("delay", { gt: 60, lte: 600 })
  const program = Pipeline.make("p").pipe(
    Pipeline.source("flights", File.ndjson("in.ndjson")),
    Pipeline.filterBy(
      "late",
      Condition.and(late, Condition.not(Condition.metadataEquals("type", { test: true })))
    ),
    Pipeline.when(Condition.or(Condition.recordType("object"), Condition.cel("key != null"))),
    Pipeline.when("record.a"),
    Pipeline.filterBy(
      "known",
      Condition.any(Condition.metadataExists("id"), Condition.metadataMatches("id", "^x"))
    ),
    Pipeline.sink("all", File.ndjson("all.ndjson")),
    Pipeline.sink("some", File.ndjson("some.ndjson"), {
      when: Condition.all(
        Condition.always,
        Condition.metadataGt("n", 1),
        Condition.metadataGte("n", "a"),
        Condition.metadataLt("n", 9),
        Condition.metadataLte("n", "b"),
        Condition.not(Condition.never)
      )
    })
  )
  const { definition, findings } = parsePipelineFile({
    environment: {},
    text: `name: p
stages:
  flights: { source: { use: file, path: in.ndjson, format: ndjson } }
  late:
    from: flights
    filter: { all: [{ field: delay, gt: 60, lte: 600 }, { not: { metadata: type, equals: { test: true } } }] }
  known:
    from:
      stage: late
      when: { all: [{ any: [{ type: object }, { cel: key != null }] }, record.a] }
    filter: { any: [{ metadata: id, exists: true }, { metadata: id, matches: ^x }] }
  all: { from: known, sink: { use: file, path: all.ndjson, format: ndjson } }
  some:
    from:
      stage: known
      when:
        all:
          - always
          - { metadata: n, gt: 1 }
          - { metadata: n, gte: a }
          - { metadata: n, lt: 9 }
          - { metadata: n, lte: b }
          - { not: never }
    sink: { use: file, path: some.ndjson, format: ndjson }
`
  })
  expect(findings).toEqual([])
  expect(encodeDefinition(Result.getOrThrow(Pipeline.definition(program))).stages).toEqual(
    encodeDefinition(definition!).stages
  )
})

it("and: data first, data last", () => {
  expect(Condition.and("a", "b")).toEqual({ all: ["a", "b"] })
  expect(Condition.or("b")("a")).toEqual({ any: ["a", "b"] })
})

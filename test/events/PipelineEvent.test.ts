/**
 * The text in the log is the event: nothing is lost on the way there and back.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { Schema } from "effect"
import { CatalogEvent } from "../../events/CatalogEvent.ts"
import { idempotencyKey } from "../../events/Checkpoint.ts"
import { PipelineEvent, pipelineStream } from "../../events/PipelineEvent.ts"
import { schemaVersion } from "../../events/upcast.ts"
import { asStored } from "../fixtures/asStored.ts"
import { storedRows } from "../fixtures/rows.ts"

const runs = { arbitrary: { runs: 500, size: 20 } }

for (const [name, schema] of Object.entries({ PipelineEvent, CatalogEvent })) {
  const decode = Schema.decodeUnknownSync(schema as Schema.Codec<unknown, unknown>)
  const encode = Schema.encodeUnknownSync(schema as Schema.Codec<unknown, unknown>)

  it.prop(
    `${name}: what is read is what was written`,
    [schema],
    ([event]) => assert.deepStrictEqual(decode(asStored(event)), asStored(event)),
    runs
  )
  it.prop(
    `${name}: encoded and decoded are one shape`,
    [schema],
    ([event]) => assert.deepStrictEqual(asStored(encode(event)), asStored(event)),
    runs
  )
}

it("the fixtures hold every event there is", () => {
  const logs = ["log-0.1.0.ndjson", "log-0.2.0-redrives.ndjson"]
  const tags = new Set(logs.flatMap(storedRows).map(({ type }) => type))
  const all = [...Object.keys(PipelineEvent.cases), ...Object.keys(CatalogEvent.cases)]
  assert.strictEqual(schemaVersion, 1, "a new schema version needs a log of its own beside log-0.1.0.ndjson")
  assert.sameMembers([...tags], all, "an event that 0.1.0 did not have belongs into a log of its release")
})

it("a pipeline's stream is named by its id", () => assert.strictEqual(pipelineStream("p1"), "pipeline/p1"))

it("a key is told apart by every part of it", () => {
  const of = { pipeline: "p1", generation: 0, batch: 12, stage: "out" }
  assert.strictEqual(idempotencyKey(of), "p1/0/12/out")
  const others = [{ pipeline: "p2" }, { generation: 1 }, { batch: 1 }, { stage: "out2" }]
  const keys = [of, ...others.map((other) => ({ ...of, ...other }))].map(idempotencyKey)
  assert.strictEqual(new Set(keys).size, keys.length)
})

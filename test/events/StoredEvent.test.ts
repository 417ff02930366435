/**
 * The chain that binds the rows of a log together. These vectors never change: a log written by one
 * release is verified by every later one.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { genesisHash, hashInput, type StoredEvent } from "../../events/StoredEvent.ts"
import { sha256, storedRows } from "../fixtures/rows.ts"

const row: Omit<StoredEvent, "hash" | "position"> = {
  stream: "pipeline/p1",
  version: 1,
  type: "Triggered",
  schemaVersion: 1,
  payload: `{"_tag":"Triggered","reason":"ü \\u0000"}`,
  at: 1767225600000,
  eventId: "e1",
  causationId: null,
  correlationId: "c1",
  by: "local",
  epoch: 2
}

describe("the hash of a row", () => {
  it("is over this text", () =>
    assert.strictEqual(
      hashInput(genesisHash, row),
      `${"0".repeat(64)}\n["pipeline/p1",1,"Triggered",1,1767225600000,"e1",null,"c1","local",2,` +
        `"{\\"_tag\\":\\"Triggered\\",\\"reason\\":\\"ü \\\\u0000\\"}"]`
    ))
  it("is this one", () =>
    assert.strictEqual(
      sha256(hashInput(genesisHash, row)),
      "07f551d97c15b99c2bee868d5c13f07fcb2c6546ca944d1dc736321d7ada024f"
    ))

  const changes: Partial<StoredEvent> = {
    stream: "pipeline/p2",
    version: 2,
    type: "Paused",
    schemaVersion: 2,
    payload: "{}",
    at: 1,
    eventId: "e2",
    causationId: "e0",
    correlationId: null,
    by: "engine",
    epoch: 3
  }
  for (const [field, value] of Object.entries(changes)) {
    it(`depends on ${field}`, () =>
      assert.notStrictEqual(hashInput(genesisHash, { ...row, [field]: value }), hashInput(genesisHash, row)))
  }
  it("depends on the row before", () =>
    assert.notStrictEqual(hashInput("1".repeat(64), row), hashInput(genesisHash, row)))
})

for (const file of ["log-0.1.0.ndjson", "log-0.2.0-redrives.ndjson", "history-1.ndjson"]) {
  it(`${file} is an unbroken chain`, () => {
    const last = new Map<string, StoredEvent>()
    for (const stored of storedRows(file)) {
      const before = last.get(stored.stream)
      assert.strictEqual(stored.version, (before?.version ?? 0) + 1)
      assert.strictEqual(stored.hash, sha256(hashInput(before?.hash ?? genesisHash, stored)))
      last.set(stored.stream, stored)
    }
  })
}

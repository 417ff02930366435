/**
 * What a service is sent and may answer.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { encodeCall, encodeRecord, ProtocolError, readAnswers } from "../../../src/flow/service/protocol.ts"

const answers = (text: string, count = 1) => readAnswers(new TextEncoder().encode(text), count)
const told = (records: unknown, count = 1) => answers(JSON.stringify({ records }), count)

describe("a call", () => {
  it("names each record by its index, with what it has", () => {
    const plain = encodeRecord({ n: 1 }, { payload: undefined, metadata: {} })
    const full = encodeRecord([2], { payload: undefined, key: "k", metadata: { file: "a" }, eventTime: 5 })
    assert.deepStrictEqual(JSON.parse(encodeCall([plain, full])), {
      records: [
        { index: 0, payload: { n: 1 } },
        { index: 1, payload: [2], key: "k", metadata: { file: "a" }, event_time: 5 }
      ]
    })
  })
  it("does not change what JSON cannot hold", () => {
    for (const payload of [{ n: 1n }, { n: Number.NaN }, undefined]) {
      assert.throws(() => encodeRecord(payload, { payload, metadata: {} }), /JSON cannot hold/)
    }
  })
})

describe("an answer", () => {
  it("is put into the order of the call", () =>
    assert.deepStrictEqual(
      told(
        [
          { index: 5, status: "retry" },
          { index: 3, status: "filter" },
          { index: 4, status: "nack", error: { code: "bad", message: "no" } },
          { index: 0, status: "ok", payload: null },
          { index: 2, status: "ok", payloads: [1, 2] },
          { index: 1, status: "ok" }
        ],
        6
      ),
      [
        { _tag: "Ok", payloads: [null] },
        { _tag: "Ok", payloads: undefined },
        { _tag: "Ok", payloads: [1, 2] },
        { _tag: "Filter" },
        { _tag: "Nack", reason: { code: "bad", message: "no" } },
        { _tag: "Retry", reason: { code: "retry", message: "the service asked to try again" } }
      ]
    ))

  const spoiled: ReadonlyArray<readonly [string, unknown, RegExp]> = [
    ["no list", { records: {} }, /no list/],
    ["a list alone", [], /object belongs/],
    ["an index that is missing", { records: [{ index: 0, status: "ok" }] }, /index 1 is not answered/],
    [
      "an index twice",
      { records: [0, 1, 1].map((index) => ({ index, status: "ok" })) },
      /index 1 is answered twice/
    ],
    ["an index of nobody", { records: [{ index: 2, status: "ok" }] }, /index 2 was not asked for/],
    ["a text as index", { records: [{ index: "0", status: "ok" }] }, /index a string was not asked for/],
    ["an index between two", { records: [{ index: 0.5, status: "ok" }] }, /0.5 was not asked for/],
    ["another status", { records: [{ index: 0, status: "fine" }] }, /status of index 0 is none of/],
    ["two meanings", { records: [{ index: 0, status: "ok", payload: 1, payloads: [] }] }, /and payloads/],
    ["pieces of nothing", { records: [{ index: 0, status: "ok", payloads: [] }] }, /no list with something/]
  ]
  for (const [name, body, message] of spoiled) {
    it(`with ${name} spoils the whole call`, () => {
      assert.throws(() => answers(JSON.stringify(body), 2), message)
      assert.throws(() => answers(JSON.stringify(body), 2), ProtocolError)
    })
  }
  it("that is no JSON spoils it too", () => assert.throws(() => answers("<html>"), /no JSON/))

  it("does not round an integer: its record is refused, and only that one", () => {
    const [exact, rounded] = answers(
      '{"records":[{"index":1,"status":"ok","payload":{"a":[9007199254740993]}},{"index":0,"status":"ok","payload":9007199254740992}]}',
      2
    )
    assert.deepStrictEqual(exact, { _tag: "Ok", payloads: [9007199254740992] })
    assert.strictEqual(rounded?._tag === "Nack" && rounded.reason.code, "unsafe_integer")
  })
})

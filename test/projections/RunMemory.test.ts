/**
 * What a run remembers, as state and as part of an event.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { Schema } from "effect"
import type { KeysDelta, StageDelta } from "../../events/BatchMemory.ts"
import { entries, size } from "../../projections/RememberedKeys.ts"
import * as RunMemory from "../../projections/RunMemory.ts"

const Numbers = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 900 })))
const remembered = 700

/** Batches of as many keys each, of which so many are remembered. */
const deltas = (sizes: ReadonlyArray<number>): ReadonlyArray<KeysDelta> => {
  let [known, next] = [0, 0]
  return sizes.map((count) => {
    const keys = Array.from({ length: count }, () => `${next++}`)
    const forget = Math.max(0, known + count - remembered)
    known += count - forget
    return { keys, times: keys.map((key) => Number(key) * 10), forget }
  })
}
const keysOf = (memory: RunMemory.StageMemory | undefined) =>
  memory !== undefined && "keys" in memory ? [...entries(memory.keys)] : []

it.prop("the last keys are remembered, whatever batches they came in", [Numbers], ([sizes]) => {
  const memory = deltas(sizes).reduce<RunMemory.StageMemory | undefined>(RunMemory.remember, undefined)
  const total = sizes.reduce((sum, count) => sum + count, 0)
  const last = Array.from({ length: total }, (_, key) => [`${key}`, key * 10] as const).slice(-remembered)
  assert.deepStrictEqual(keysOf(memory), last)
  if (memory !== undefined && "keys" in memory) assert.strictEqual(size(memory.keys), last.length)
})

const window = (key: string, start: number, count: number) => ({
  key,
  start,
  end: start + 100,
  made: [{ count }]
})

it("an event takes up the whole memory, and gives it again", () => {
  const steps: ReadonlyArray<StageDelta> = [
    { add: { records: 3, sessions: false, windows: [window("a", 0, 2), window("b", 100, 1)] } },
    { add: { records: 1, sessions: false, windows: [window("a", 100, 1)] }, close: 100 }
  ]
  const memory: RunMemory.RunMemory = {
    time: { idle: [], watermarks: { in: 5 }, combined: 5 },
    stages: {
      counted: steps.reduce<RunMemory.StageMemory | undefined>(RunMemory.remember, undefined)!,
      once: deltas([5, 900, 3]).reduce<RunMemory.StageMemory | undefined>(RunMemory.remember, undefined)!
    },
    later: [{ batch: 7, memory: { counted: steps[0]! } }]
  }
  const again = RunMemory.fromEvent(JSON.parse(JSON.stringify(RunMemory.toEvent(memory))))
  assert.deepStrictEqual(again.stages.counted, memory.stages.counted)
  assert.deepStrictEqual(keysOf(again.stages.once), keysOf(memory.stages.once))
  assert.deepStrictEqual([again.time, again.later], [memory.time, memory.later])
})

it("the watermark of sources read as one is the least of theirs, once each has given something", () => {
  const at = (watermarks: Record<string, number>): RunMemory.RunMemory => ({
    ...RunMemory.empty,
    time: { idle: [], watermarks, combined: null }
  })
  assert.strictEqual(RunMemory.watermarkOf(at({ a: 5, b: 3 }), "a+b"), 3)
  assert.isNull(RunMemory.watermarkOf(at({ a: 5 }), "a+b"))
  assert.strictEqual(RunMemory.watermarkOf(at({ a: 5, b: 8.64e15 }), "a+b"), 5)
  assert.isNull(RunMemory.watermarkOf(at({ a: 8.64e15 }), "a"))
})

/**
 * The pure facade: five stories told step by step, and what is refused.
 *
 * @module
 */
import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { hasUnfinishedRun } from "../../projections/PipelineState.ts"
import { isActive, lifecycles } from "../../projections/transitions.ts"
import * as Runtime from "../../src/pipeline/Runtime.ts"
import {
  again,
  batch,
  begin,
  type Call,
  checkpoint,
  crash,
  fail,
  forked,
  letter,
  orders,
  process,
  resume,
  retry,
  tell,
  thenRejected,
  thenSuppressed
} from "./stepping.ts"

const tags = ({ events }: Runtime.Runtime) => events.map(({ _tag }) => _tag)

describe("five stories", () => {
  const stories: Readonly<Record<string, () => Runtime.Runtime>> = {
    success: () => tell([...begin, ...batch("b0"), ...batch("b1"), Runtime.complete]),
    "partial failure": () =>
      tell([
        ...begin,
        process("in", "b0"),
        retry("clean"),
        letter("clean", { offset: 3 }),
        process("clean", "b0", 9),
        process("out", "b0", 9),
        process("in", "b1"),
        fail
      ]),
    replay: () =>
      tell([...begin, ...batch("b0"), process("in", "b1"), fail, resume, ...batch("b1"), Runtime.complete]),
    "crash and resume": () =>
      tell([...begin, ...batch("b0"), crash, resume, ...batch("b1"), crash, resume, Runtime.complete]),
    "idempotent sink": () => {
      const once = tell([...begin, ...batch("b0")])
      thenSuppressed(once, process("out", "b0"), "out", "b0")
      const next = tell([Runtime.complete, ...again, process("in", "b1")], once)
      thenSuppressed(next, process("out", "b0"), "out", "b0")
      return tell([process("out", "b1"), Runtime.complete], next)
    }
  }
  for (const [name, story] of Object.entries(stories)) {
    it(`${name}: told again, it has the same signature, and is lawful`, () => {
      assert.strictEqual(Runtime.signature(story()), Runtime.signature(story()))
      assert.deepStrictEqual(Runtime.historyFindings(story()), [])
    })
  }
  it("all five differ", () =>
    assert.strictEqual(new Set(Object.values(stories).map((story) => Runtime.signature(story()))).size, 5))

  it("the signature can be made without this program", () => {
    const { events } = Runtime.fromEvents([
      { tick: "t1", dueAt: 1000, _tag: "Scheduled" },
      { reason: "caf\u00e9", _tag: "Triggered" }
    ])
    const text = `{"_tag":"Scheduled","dueAt":1000,"tick":"t1"}\n{"_tag":"Triggered","reason":"café"}`
    assert.strictEqual(
      Runtime.signature(Runtime.fromEvents(events)),
      createHash("sha256").update(text, "utf8").digest("hex")
    )
  })
  it("success", () => {
    const runtime = stories.success!()
    assert.strictEqual(Runtime.lifecycle(runtime), "Completed")
    assert.deepStrictEqual(checkpoint(runtime), {
      source: "in",
      batch: 1,
      offset: 20,
      position: { key: "b1" }
    })
    assert.deepStrictEqual(Runtime.sinkIdempotencyKeys(runtime), { out: ["b0", "b1"] })
    assert.deepStrictEqual(tags(runtime).slice(0, 8), [
      ...(["Defined", "Scheduled", "Triggered", "RunStarted", "BatchSealed"] as const),
      ...(["StageApplied", "StageApplied", "StageApplied"] as const)
    ])
  })
  it("partial failure: the letter is in the seal, and only what is settled counts as a place", () => {
    const runtime = stories["partial failure"]!()
    assert.strictEqual(Runtime.lifecycle(runtime), "Failed")
    assert.strictEqual(checkpoint(runtime)?.offset, 10)
    assert.deepInclude(runtime.state.run?.counts, { read: 20, delivered: 9, lettered: 1, filtered: 0 })
    const { checkpoints, ...counts } = Runtime.telemetry(runtime)
    assert.deepInclude(counts, { retries: 1, deadLetters: 1, duplicates: 0, lagMsLast: 5, lagMsMax: 5 })
    assert.deepInclude(counts.stages.clean, { steps: 1, records: 9, retries: 1, deadLetters: 1 })
    assert.deepStrictEqual(checkpoints, [{ source: "in", batch: 0, offset: 10, lagMs: 5 }])
  })
  it("replay: what was read and not settled is read again and written once", () => {
    const runtime = stories.replay!()
    assert.strictEqual(runtime.state.nextBatch, 2)
    assert.deepStrictEqual(Runtime.sinkIdempotencyKeys(runtime), { out: ["b0", "b1"] })
    const attempts = runtime.events.flatMap((event) =>
      event._tag === "BatchSealed" ? [[event.batch, event.attempt]] : []
    )
    assert.deepStrictEqual(attempts, [
      [0, 1],
      [1, 1],
      [1, 2]
    ])
  })
  it("crash and resume: Replaying at the checkpoint, with nothing lost", () => {
    const crashed = tell([...begin, ...batch("b0"), process("in", "b1"), crash])
    const result = resume(crashed)
    assert.strictEqual(Runtime.lifecycle(result.runtime), "Replaying")
    assert.deepStrictEqual(result._tag === "Applied" && result.checkpoint, checkpoint(crashed)!)
    const owed = tell([process("out", "b1")], result.runtime)
    assert.strictEqual(checkpoint(owed)?.offset, 20)
  })
})

describe("process refuses", () => {
  const running = tell(begin)
  const refusals: ReadonlyArray<readonly [string, Call, Runtime.RuntimeRejectionCode]> = [
    ["a stage the pipeline has not", process("constructor", "k"), "unknown_stage"],
    ["an empty key", process("in", ""), "empty_text"],
    ["a negative count", process("in", "k", -1), "bad_number"],
    ["a broken count", process("in", "k", Number.NaN), "bad_number"],
    ["a negative lag", process("in", "k", 1, { lagMs: -1 }), "bad_number"],
    ["a lag of minus nothing", process("in", "k", 1, { lagMs: -0 }), "bad_number"],
    ["half a batch number", process("out", "k", 1, { batch: 0.5 }), "bad_number"],
    ["a batch out of turn", process("in", "k", 1, { batch: 1 }), "batch_out_of_order"],
    ["what was not read, at a transform", process("clean", "k"), "unknown_batch"],
    ["what was not read, at a sink", process("out", "k"), "unknown_batch"]
  ]
  for (const [what, call, code] of refusals) it(what, () => thenRejected(running, call, code))

  for (const lifecycle of lifecycles) {
    if (isActive(lifecycle)) continue
    it(`everything while ${lifecycle}`, () => {
      const runtime: Runtime.Runtime = { ...running, state: { ...running.state, lifecycle } }
      for (const call of [process("in", "k"), process("out", "k"), retry("in"), letter("in")])
        thenRejected(runtime, call, "not_running")
    })
  }

  it("a later batch before an earlier one at the same sink", () =>
    thenRejected(
      tell([process("in", "b0"), process("in", "b1")], running),
      process("out", "b1"),
      "batch_out_of_order"
    ))
  it("another answer of the source to a read that is repeated", () =>
    thenRejected(
      tell([...batch("b0"), process("in", "b1"), crash, resume], running),
      process("in", "b1", 11),
      "source_changed"
    ))
  it("records where none is left", () =>
    thenRejected(
      tell([process("in", "b0", 1), letter("clean")], running),
      process("out", "b0", 1),
      "sums_disagree"
    ))
})

describe("batches", () => {
  it("a sink that was given less: the rest is sealed as filtered", () => {
    const { counts } = tell([...begin, process("in", "b0"), process("out", "b0", 8)]).state.run!
    assert.deepInclude(counts, { delivered: 8, filtered: 2, applied: { out: 8 } })
  })
  it("a sink that was given more, by a transform that explodes records", () => {
    const { counts } = tell([...begin, process("in", "b0"), process("out", "b0", 25)]).state.run!
    assert.deepInclude(counts, { delivered: 10, filtered: 0, applied: { out: 25 } })
  })
  it("a batch of nothing is settled at once", () => {
    const runtime = tell([...begin, process("in", "b0", 0)])
    assert.strictEqual(checkpoint(runtime)?.batch, 0)
    assert.lengthOf(Runtime.telemetry(runtime).checkpoints, 1)
    assert.deepStrictEqual(Runtime.historyFindings(runtime), [])
  })
  it("invariant 1: the checkpoint waits for the last sink", () => {
    const half = tell([...begin, process("in", "b0"), process("out", "k")], Runtime.make(forked))
    assert.deepStrictEqual(Runtime.checkpoints(half), [])
    thenRejected(half, Runtime.complete, "batches_owed")
    const whole = tell([process("copy", "k"), Runtime.complete], half)
    assert.deepStrictEqual(Runtime.sinkIdempotencyKeys(whole), { out: ["k"], copy: ["k"] })
  })
  it("a key a source has read is not read again within the run", () => {
    const runtime = tell([...begin, process("in", "b0")])
    thenSuppressed(runtime, process("in", "b0"), "in", "b0")
    tell([process("out", "b0"), Runtime.complete, ...again, process("in", "b0")], runtime)
  })
  it("of what a resumed run has read, only what is owed is read again", () => {
    const calls = [...begin, ...batch("b0"), process("in", "b1"), process("in", "b2", 0), crash, resume]
    const replaying = tell(calls)
    thenSuppressed(replaying, process("in", "b0"), "in", "b0")
    thenSuppressed(replaying, process("in", "b2", 0), "in", "b2")
    assert.strictEqual(checkpoint(tell([process("in", "b1"), process("out", "b1")], replaying))?.batch, 2)
  })
  it("a sink whose answer was lost says that it held the key, and the branch is settled", () => {
    const owed = tell([...begin, ...batch("b0"), process("in", "b1"), crash, resume])
    const result = process("out", "b1", 10, { held: true })(owed)
    assert.deepInclude(result, { _tag: "DuplicateSuppressed", stage: "out", key: "b1" })
    assert.strictEqual(checkpoint(result.runtime)?.offset, 20)
    const { checkpoints, duplicates } = Runtime.telemetry(result.runtime)
    assert.deepStrictEqual([duplicates, checkpoints.at(-1)?.lagMs], [1, null])
    thenSuppressed(result.runtime, process("out", "b1"), "out", "b1")
    assert.isTrue(Runtime.valid(result.runtime))
    thenRejected(owed, process("out", "b1", 7, { held: true }), "unknown_attempt")
  })
})

describe("trouble", () => {
  const read = tell([...begin, process("in", "b0", 3)], Runtime.make(forked))
  it("letters go to whoever has not taken the batch, and are carried into later attempts", () => {
    const runtime = tell(
      [process("copy", "b0", 3), letter("clean"), letter("out"), process("out", "b0", 1)],
      read
    )
    const seal = runtime.events.findLast((event) => event._tag === "BatchSealed")
    assert.deepStrictEqual(
      seal?._tag === "BatchSealed" && seal.letters.map(({ branches, id, stage }) => [id, stage, branches]),
      [
        ["0.0.0", "clean", ["out"]],
        ["0.0.1", "out", ["out"]]
      ]
    )
    assert.deepInclude(runtime.state.run?.counts, { delivered: 1, lettered: 2 })
    assert.strictEqual(Runtime.telemetry(runtime).deadLetters, 2)
    assert.isTrue(Runtime.valid(runtime))
  })
  it("a record is a letter of a sink once, and one of its batch", () => {
    const once = tell([letter("out", { offset: 1 })], read)
    for (const offset of [1, 3, -1, 0.5]) thenRejected(once, letter("out", { offset }), "bad_number")
    thenRejected(tell([letter("out"), letter("out")], once), letter("out"), "bad_number")
    thenRejected(once, letter("out", { batch: 7 }), "unknown_batch")
  })
  it("retries are counted for their stage and batch", () => {
    const runtime = tell([retry("out"), retry("out"), retry("out", { batch: 0 }), retry("in")], read)
    const attempts = runtime.events.flatMap((event) => (event._tag === "Retried" ? [event.attempt] : []))
    assert.deepStrictEqual(attempts, [1, 2, 1, 1])
    thenRejected(runtime, retry("out", { delayMs: -1 }), "bad_number")
    thenRejected(runtime, retry("out", { batch: 3 }), "unknown_batch")
  })
})

describe("the life of a run", () => {
  it("has a label for each state", () => assert.hasAllKeys(Runtime.lifecycleLabels, [...lifecycles]))
  it("resume needs a failed or crashed run with a checkpoint", () => {
    const idle = Runtime.make(orders)
    const running = tell(begin)
    thenRejected(idle, resume, "nothing_to_resume")
    thenRejected(running, resume, "nothing_to_resume")
    thenRejected(tell([process("in", "b0"), crash], running), resume, "no_checkpoint")
    const abandoned = { code: "abandoned", message: "given up" }
    const givenUp = tell([...batch("b0"), crash, (each) => Runtime.fail(each, abandoned)], running)
    assert.isFalse(hasUnfinishedRun(givenUp.state))
    thenRejected(givenUp, resume, "nothing_to_resume")
  })
  it("an invalid pipeline is neither scheduled nor triggered", () => {
    const runtime = Runtime.make({ name: "orders", stages: [] })
    thenRejected(runtime, begin[0]!, "invalid_definition")
    thenRejected(runtime, begin[1]!, "invalid_definition")
    assert.isFalse(Runtime.valid(runtime))
  })
  it("ticks and runs have names, times are whole", () => {
    const runtime = Runtime.make(orders)
    thenRejected(runtime, (each) => Runtime.schedule(each, { tick: "", dueAt: 0 }), "empty_text")
    thenRejected(runtime, (each) => Runtime.schedule(each, { tick: "t", dueAt: 0.5 }), "bad_number")
    thenRejected(runtime, (each) => Runtime.start(each, { run: "" }), "empty_text")
    thenRejected(tell(begin), begin[0]!, "illegal_transition")
  })
})

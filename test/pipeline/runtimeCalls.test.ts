/**
 * The pure facade under any sequence of calls: it never throws, and these things hold of every one.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { PipelineEvent } from "../../events/PipelineEvent.ts"
import { replay } from "../../projections/PipelineState.ts"
import { lifecycleTransitions } from "../../projections/transitions.ts"
import * as Runtime from "../../src/pipeline/Runtime.ts"
import {
  begin,
  type Call,
  checkpoint,
  crash,
  fail,
  forked,
  letter,
  process,
  resume,
  retry,
  tell
} from "./stepping.ts"

/** One call of any kind, with numbers and texts that mostly fit. Named more than once, it comes more often. */
const Any = Schema.Struct({
  verb: Schema.Literals([
    ...(["in", "in", "in", "in", "in", "in", "clean", "clean", "none"] as const),
    ...(["out", "out", "out", "out", "out", "out", "copy", "copy", "copy", "copy", "copy", "copy"] as const),
    ...(["letter", "letter", "letter", "retry", "complete", "fail", "crash", "schedule"] as const),
    ...(["trigger", "trigger", "start", "start", "resume", "resume", "resume", "resume"] as const)
  ]),
  key: Schema.Literals([...Array.from({ length: 40 }, (_, index) => `k${index}`), "", "\ud800", "__proto__"]),
  number: Schema.Literals([3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 5, 5, 0, 1, -1, 0.5]),
  batch: Schema.Literals([...Array.from({ length: 30 }, () => -1), 0, 1, 2, 3, 0.5]),
  held: Schema.Literals([false, false, false, false, true]),
  stage: Schema.Literals(["in", "clean", "out", "copy", "toString"])
})
const callOf = ({ batch: of, held, key, number, stage, verb }: typeof Any.Type): Call => {
  const batch = of === -1 ? {} : { batch: of }
  switch (verb) {
    case "schedule":
      return (runtime) => Runtime.schedule(runtime, { tick: key, dueAt: number })
    case "trigger":
      return (runtime) => Runtime.trigger(runtime, { reason: key })
    case "start":
      return (runtime) => Runtime.start(runtime)
    case "fail":
      return fail
    case "crash":
      return crash
    case "complete":
      return Runtime.complete
    case "resume":
      return resume
    case "retry":
      return retry(stage, { ...batch, delayMs: number })
    case "letter":
      return letter(stage, { ...batch, key })
    default:
      return process(verb, key, number, { ...batch, held })
  }
}

/** What holds of every call in any sequence of calls. */
const always = (
  promise: string,
  check: (before: Runtime.Runtime, result: Runtime.ProcessResult) => void
): void =>
  it.prop(
    promise,
    [Schema.Array(Any).check(Schema.isMinLength(20))],
    ([asks]) => {
      let runtime = tell([begin[1]!, begin[2]!], Runtime.make(forked))
      for (const ask of asks) {
        const result = callOf(ask)(runtime)
        check(runtime, result)
        runtime = result.runtime
      }
    },
    { arbitrary: { runs: 150, size: 120 } }
  )

describe("any calls", () => {
  always("what is refused or suppressed changes nothing", (before, result) => {
    const changed = result.runtime !== before
    if (result._tag === "Applied") assert.isAbove(result.runtime.events.length, before.events.length)
    else if (result._tag === "Rejected" || !changed) {
      assert.strictEqual(result.runtime, before)
    } else assert.strictEqual(result.runtime.events.at(-1)?._tag, "DuplicateSuppressed")
  })

  always("the lifecycle moves only as the table allows", ({ state }, { runtime }) => {
    const to = runtime.state.lifecycle
    if (to !== state.lifecycle)
      assert.include(Object.values(lifecycleTransitions[state.lifecycle]), to, `from ${state.lifecycle}`)
  })

  always("invariant 2: within a run no checkpoint moves backwards or is lost", (before, { runtime }) => {
    const place = checkpoint(before)
    if (place === undefined || before.state.run?.id !== runtime.state.run?.id) return
    assert.isAtLeast(checkpoint(runtime)?.offset ?? -1, place.offset)
    assert.isAtLeast(checkpoint(runtime)?.batch ?? -1, place.batch)
  })

  always("invariant 6: at rest every record has its outcome", (_, { runtime }) => {
    const { open, run } = runtime.state
    if (run === null || open.length > 0) return
    const { delivered, filtered, lettered, read, unrouted } = run.counts
    assert.strictEqual(delivered + filtered + unrouted + lettered, read)
  })

  always("a seal holds exactly the letters its branches count", (before, { runtime }) => {
    for (const event of runtime.events.slice(before.events.length)) {
      if (event._tag !== "BatchSealed") continue
      assert.isNotEmpty(event.branches)
      const named = event.letters.flatMap(({ branches }) => branches)
      for (const [branch, { lettered }] of Object.entries(event.branches))
        assert.strictEqual(named.filter((name) => name === branch).length, lettered)
    }
  })

  always("no sink takes a key twice", (_, { runtime }) => {
    for (const keys of Object.values(Runtime.sinkIdempotencyKeys(runtime)))
      assert.strictEqual(new Set(keys).size, keys.length)
  })

  always("the state is the fold, and the events survive as JSON", (before, { runtime }) => {
    if (runtime === before) return
    assert.deepStrictEqual(replay(runtime.events), runtime.state)
    const stored = JSON.parse(JSON.stringify(runtime.events)) as ReadonlyArray<unknown>
    const read = Runtime.fromEvents(stored.map((event) => Schema.decodeUnknownSync(PipelineEvent)(event)))
    assert.deepStrictEqual(read, runtime)
    assert.strictEqual(Runtime.signature(read), Runtime.signature(runtime))
  })

  always("an auditor finds nothing, and the checkpoints told are those reached", (before, { runtime }) => {
    if (runtime === before || runtime.events.length % 5 !== 0) return
    assert.deepStrictEqual(Runtime.historyFindings(runtime), [])
    const told = Runtime.telemetry(runtime).checkpoints
    const reached = checkpoint(runtime)
    if (reached !== undefined)
      assert.deepInclude(told.at(-1), { batch: reached.batch, offset: reached.offset })
    assert.isTrue(told.every(({ batch }, index) => index === 0 || batch > told[index - 1]!.batch))
  })
})

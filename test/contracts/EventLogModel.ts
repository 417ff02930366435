/**
 * The event log as three numbers and a list per stream: what any sequence of steps must lead to.
 *
 * @module
 */
import { assert } from "@effect/vitest"
import { Effect, Exit, Schema, Stream } from "effect"
import { EventLog, type Head, type NewEvent } from "../../src/log/EventLog.ts"
import { verify } from "../../src/log/verify.ts"
import { newEvents } from "./newEvent.ts"

const who = { owner: Schema.Literals([0, 1, 2]), stream: Schema.Literals(["a", "b"]) }

/** What an owner may try; each acts on what it believes since its own last step. */
export const Step = Schema.TaggedUnion({
  Claim: who,
  Append: { ...who, count: Schema.Literals([0, 1, 2, 3]) },
  /** The owner's last append once more, as after an ambiguous answer. */
  Repeat: who,
  /** The owner reads the stream's head without claiming it, as a careless zombie might. */
  Look: who
})
export type Step = typeof Step.Type

interface Owner {
  epoch: number
  version: number
  last: { readonly version: number; readonly events: ReadonlyArray<NewEvent> }
}

const newOwner = (): Owner => ({ epoch: 0, version: 0, last: { version: 0, events: [] } })

interface StreamModel {
  epoch: number
  readonly ids: Array<string>
}

export const agreesWithModel = Effect.fnUntraced(function* (steps: ReadonlyArray<Step>) {
  const log = yield* EventLog
  const streams: Record<string, StreamModel> = { a: { epoch: 0, ids: [] }, b: { epoch: 0, ids: [] } }
  const owners = [0, 1, 2].map(() => ({ a: newOwner(), b: newOwner() }))
  for (const [n, step] of steps.entries()) {
    const stream = streams[step.stream]!
    const owner = owners[step.owner]![step.stream]
    if (step._tag === "Look") {
      owner.version = stream.ids.length
      continue
    }
    if (step._tag === "Claim") {
      stream.epoch += 1
      const head = yield* log.claim(step.stream)
      assert.deepStrictEqual([head.epoch, head.version], [stream.epoch, stream.ids.length])
      owner.epoch = head.epoch
      owner.version = head.version
      continue
    }
    if (step._tag === "Append") {
      owner.last = { version: owner.version, events: newEvents(`${n}`, step.count) }
    }
    const expected = outcome(stream, owner)
    const exit = yield* Effect.exit(
      log.append(step.stream, { expectedVersion: owner.last.version, epoch: owner.epoch }, owner.last.events)
    )
    assert.strictEqual(described(exit), expected, `step ${n}: ${step._tag}`)
    if (Exit.isSuccess(exit)) owner.version = exit.value.version
  }
  yield* holds(streams)
})

/** Changes the model as the append should change the log, and says how it should end. */
const outcome = (stream: StreamModel, { epoch, last }: Owner): string => {
  const ids = last.events.map((event) => event.eventId)
  const end = last.version + ids.length
  if (epoch !== stream.epoch) return "Fenced"
  if (last.version === stream.ids.length) {
    stream.ids.push(...ids)
    return `at ${end}`
  }
  const repeated = ids.length > 0 && stream.ids.slice(last.version, end).join() === ids.join()
  return repeated ? `at ${end}` : "VersionConflict"
}

const described = (exit: Exit.Exit<Head, { readonly _tag: string }>): string =>
  Exit.match(exit, {
    onSuccess: (head) => `at ${head.version}`,
    onFailure: (cause) => cause.reasons.map((r) => (r._tag === "Fail" ? r.error._tag : r._tag)).join()
  })

const holds = Effect.fnUntraced(function* (streams: Record<string, StreamModel>) {
  const log = yield* EventLog
  for (const [name, model] of Object.entries(streams)) {
    const events = yield* Stream.runCollect(log.read(name))
    assert.deepStrictEqual(
      events.map((event) => event.eventId),
      model.ids
    )
  }
  const { events, firstBad } = yield* verify()
  assert.isNull(firstBad)
  assert.strictEqual(events, streams.a!.ids.length + streams.b!.ids.length)
})

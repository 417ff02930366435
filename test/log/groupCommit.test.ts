import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { type Append, type Appended, makeAppend } from "../../src/log/Append.ts"
import { LogError, VersionConflict } from "../../src/log/EventLog.ts"
import { type GroupCommitOptions, groupCommit } from "../../src/log/groupCommit.ts"
import { newEvents } from "../contracts/newEvent.ts"
import { range } from "../contracts/onLog.ts"

describe("groupCommit", () => {
  it.effect("what arrives during a commit shares the next one", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      const append = yield* groupCommit(store)
      yield* together(
        append,
        range(1, 100).map((n) => request(`s${n}`)),
        store.open
      )
      assert.deepStrictEqual(
        store.groups.map((group) => group.length),
        [1, 99]
      )
    })
  )

  it.effect("an append that comes alone waits for nobody", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      yield* store.open
      const append = yield* groupCommit(store)
      for (const n of range(1, 3)) yield* append(request(`s${n}`))
      assert.strictEqual(store.groups.length, 3)
    })
  )

  it.effect("a group has one append per stream, and appends of a stream keep their order", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      const append = yield* groupCommit(store)
      const requests = [0, 1, 2].flatMap((version) => ["a", "b"].map((stream) => request(stream, version)))
      yield* together(append, [request("first"), ...requests], store.open)
      assert.deepStrictEqual(names(store.groups), [["first0"], ["a0", "b0"], ["a1", "b1"], ["a2", "b2"]])
    })
  )

  it.effect("groups keep to their bounds, and a later append never overtakes one that did not fit", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      const append = yield* groupCommit({ ...store, maxAppends: 4, maxEvents: 5 })
      const requests = [
        request("a", 0, 4),
        request("b", 0, 4),
        request("b", 4, 1),
        request("c", 0, 9),
        request("d")
      ]
      yield* together(append, [request("first"), ...requests], store.open)
      assert.deepStrictEqual(names(store.groups), [["first0"], ["a0"], ["b0", "d0"], ["b4"], ["c0"]])
    })
  )

  it.effect("a full queue makes callers wait, and loses none", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      const append = yield* groupCommit({ ...store, capacity: 2, maxAppends: 3 })
      yield* together(
        append,
        range(1, 50).map((n) => request(`s${n}`)),
        store.open
      )
      assert.strictEqual(store.groups.flat().length, 50)
      assert.isTrue(store.groups.every((group) => group.length <= 3))
    })
  )

  it.effect(
    "each caller gets its own answer; a failure and a defect are everybody's, and the writer goes on",
    () =>
      Effect.gen(function* () {
        const conflict = new VersionConflict({ stream: "b", expected: 0, actual: 1 })
        const away = new LogError({ operation: "append", reason: { _tag: "Unavailable", message: "away" } })
        const answers: Array<() => ReturnType<GroupCommitOptions["commit"]>> = [
          () => Effect.succeed([ok(request("a"))]),
          () => Effect.succeed([Exit.fail(conflict)]),
          () => Effect.fail(away),
          () => Effect.die("bug"),
          () => {
            throw "thrown"
          },
          () => Effect.succeed([]),
          () => Effect.succeed([ok(request("a"))])
        ]
        const append = yield* groupCommit({ commit: () => answers.shift()!() })
        const exits = yield* Effect.forEach(range(1, 7), () => Effect.exit(append(request("a"))))
        assert.deepStrictEqual(exits.slice(0, 5), [
          ok(request("a")),
          Exit.fail(conflict),
          Exit.fail(away),
          Exit.die("bug"),
          Exit.die("thrown")
        ])
        assert.deepStrictEqual(exits.map(Exit.hasDies), [false, false, false, true, true, true, false])
      })
  )

  it.effect("closing writes what waits, and refuses what comes later", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      const scope = yield* Scope.make()
      const append = yield* Scope.provide(groupCommit({ ...store, capacity: 3 }), scope)
      const callers = yield* startAll(
        append,
        range(1, 20).map((n) => request(`s${n}`))
      )
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* store.open
      const exits = yield* Fiber.awaitAll(callers)
      yield* Fiber.join(closing)
      const written = store.groups.flat().length
      assert.strictEqual(exits.filter(Exit.isSuccess).length, written)
      assert.isTrue(written >= 4)
      const error = yield* Effect.flip(append(request("late")))
      assert.isTrue(error._tag === "LogError" && error.reason._tag === "Unavailable")
    })
  )

  it.effect("an accepted append is not interrupted", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      const append = yield* groupCommit(store)
      const callers = yield* startAll(
        append,
        range(1, 10).map((n) => request(`s${n}`))
      )
      const interrupting = yield* Effect.forkChild(Fiber.interruptAll(callers), { startImmediately: true })
      yield* store.open
      yield* Fiber.join(interrupting)
      assert.strictEqual(store.groups.flat().length, 10)
    })
  )
})

/** A store that notes its groups and answers once it is opened. */
const makeStore = Effect.gen(function* () {
  const gate = yield* Deferred.make<void>()
  const groups: Array<ReadonlyArray<Append>> = []
  return {
    groups,
    open: Deferred.succeed(gate, undefined),
    commit: Effect.fnUntraced(function* (group: ReadonlyArray<Append>) {
      groups.push(group)
      yield* Deferred.await(gate)
      return group.map(ok)
    })
  }
})

const names = (groups: ReadonlyArray<ReadonlyArray<Append>>) =>
  groups.map((group) => group.map(({ expectedVersion, stream }) => `${stream}${expectedVersion}`))

type AppendOne = Effect.Success<ReturnType<typeof groupCommit>>

const startAll = (append: AppendOne, requests: ReadonlyArray<Append>) =>
  Effect.forEach(requests, (one) => Effect.forkChild(append(one), { startImmediately: true }))

/** Starts all, lets the first be taken alone by the writer, then opens the store and waits for all. */
const together = Effect.fnUntraced(function* (
  append: AppendOne,
  [first, ...others]: ReadonlyArray<Append>,
  open: Effect.Effect<unknown>
) {
  const leader = yield* Effect.forkChild(append(first!), { startImmediately: true })
  yield* Effect.yieldNow
  yield* Effect.yieldNow
  const followers = yield* startAll(append, others)
  yield* open
  yield* Effect.forEach([leader, ...followers], Fiber.join)
})

const request = (stream: string, expectedVersion = 0, count = 1): Append =>
  makeAppend(stream, { expectedVersion, epoch: 1 }, newEvents(`${stream}${expectedVersion}`, count))

const ok = ({ epoch, events, expectedVersion, stream }: Append): Appended =>
  Exit.succeed({ stream, version: expectedVersion + events.length, epoch, hash: "" })

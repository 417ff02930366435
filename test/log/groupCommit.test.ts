import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { type Append, type Appended, makeAppend } from "../../src/log/Append.ts"
import { type Head, LogError, VersionConflict } from "../../src/log/EventLog.ts"
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

  it.effect("an append that comes alone is committed in its caller's fiber", () =>
    Effect.gen(function* () {
      const ids: Array<number> = []
      const commit = (group: ReadonlyArray<Append>) =>
        Effect.withFiber<ReadonlyArray<Appended>>((fiber) => {
          ids.push(fiber.id)
          return Effect.succeed(group.map(ok))
        })
      const append = yield* groupCommit({ commit })
      const mine = yield* Effect.withFiber((fiber) => Effect.succeed(fiber.id))
      for (const n of range(1, 3)) yield* append(request(`s${n}`))
      assert.deepStrictEqual(ids, [mine, mine, mine])
    })
  )

  it.effect("who commits by himself overtakes nobody: who waits comes before his next append", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      const append = yield* groupCommit(store)
      const busy = yield* Effect.forkChild(
        Effect.forEach(range(0, 9), (version) => append(request("busy", version))),
        { startImmediately: true }
      )
      const patient = yield* Effect.forkChild(append(request("patient")), { startImmediately: true })
      yield* store.open
      yield* Fiber.join(busy)
      yield* Fiber.join(patient)
      assert.deepStrictEqual(names(store.groups).slice(0, 2), [["busy0"], ["patient0", "busy1"]])
    })
  )

  it.effect("callers in company go on sharing commits; who is alone again commits by himself again", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      const append = yield* groupCommit(store)
      const actor = (stream: string, last: number) =>
        Effect.forEach(range(0, last), (version) => append(request(stream, version)))
      const actors = yield* Effect.forEach(["a", "b", "c"], (stream) =>
        Effect.forkChild(actor(stream, stream === "a" ? 5 : 3), { startImmediately: true })
      )
      yield* store.open
      yield* Effect.forEach(actors, Fiber.join)
      const sizes = store.groups.map((group) => group.length)
      assert.strictEqual(
        sizes.reduce((sum, n) => sum + n, 0),
        14
      )
      assert.isAtMost(sizes.length, 9)
      const lone: Array<number> = []
      const own = yield* groupCommit({
        commit: (group) =>
          Effect.withFiber<ReadonlyArray<Appended>>((fiber) => {
            if (group.length === 1) lone.push(fiber.id)
            return Effect.as(Effect.yieldNow, group.map(ok))
          })
      })
      yield* Effect.forEach(range(1, 5), (n) => own(request(`s${n}`)), { concurrency: "unbounded" })
      const before = lone.length
      yield* own(request("x"))
      yield* own(request("y"))
      const mine = yield* Effect.withFiber((fiber) => Effect.succeed(fiber.id))
      assert.notStrictEqual(lone[before], mine)
      assert.strictEqual(lone[before + 1], mine)
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

  it.effect("closing waits for a caller that commits by himself", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      const scope = yield* Scope.make()
      const append = yield* Scope.provide(groupCommit(store), scope)
      const caller = yield* Effect.forkChild(append(request("a")), { startImmediately: true })
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      for (const _ of range(1, 5)) yield* Effect.yieldNow
      assert.isUndefined(closing.pollUnsafe())
      yield* store.open
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* Fiber.join(caller), (ok(request("a")) as Exit.Success<Head>).value)
    })
  )

  it.effect("closing does not wait for the next append of a caller that never pauses", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      let closing = false
      let late = 0
      const append = yield* Scope.provide(
        groupCommit({
          commit: (group) => {
            if (closing) late += 1
            return Effect.as(Effect.yieldNow, group.map(ok))
          }
        }),
        scope
      )
      const caller = yield* Effect.forkChild(Effect.forever(append(request("a"))), { startImmediately: true })
      for (const _ of range(1, 5)) yield* Effect.yieldNow
      closing = true
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(caller)))
      assert.strictEqual(late, 0)
    })
  )

  it.effect("a caller interrupted while he commits finishes it, and who waits behind him goes on", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      const append = yield* groupCommit(store)
      const first = yield* Effect.forkChild(append(request("first")), { startImmediately: true })
      const second = yield* Effect.forkChild(append(request("second")), { startImmediately: true })
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(first), { startImmediately: true })
      yield* store.open
      yield* Fiber.join(interrupting)
      yield* Fiber.join(second)
      yield* append(request("third"))
      assert.deepStrictEqual(names(store.groups), [["first0"], ["second0"], ["third0"]])
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

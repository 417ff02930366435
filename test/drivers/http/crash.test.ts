/**
 * A process that takes records, hands them on and settles them dies at every step on the disk, and the next one
 * dies as well: what was answered is never lost, and nothing is there twice.
 *
 * @module
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import { fileDisk, type SpoolDisk } from "../../../src/drivers/http/spool/SpoolDisk.ts"
import { tempFolder } from "../support.ts"
import { dyingDisk, ending, ingressOn, lines, payloadsFrom, push, sourceOf } from "./pushing.ts"

const pushes = 8
const each = 3

/** What outlives the processes: the sender's answers, and the log with what was delivered before its checkpoint. */
interface World {
  readonly folder: string
  readonly answered: Map<number, string>
  delivered: ReadonlyArray<unknown>
  checkpoint: Position | null
}

/** Every push is sent until it is answered, with its key; what is there is read, logged as settled, acknowledged. */
const life = (world: World, disk: SpoolDisk) =>
  Effect.gen(function* () {
    const ingress = yield* ingressOn(world.folder, { segmentBytes: 2500 }, disk)
    const reader = yield* ending(yield* sourceOf(ingress)).open(world.checkpoint)
    if (world.checkpoint !== null) yield* reader.ack(world.checkpoint)
    for (let n = 0; n < pushes; n++) {
      if (world.answered.has(n)) continue
      const { token } = yield* push(ingress, lines(n * each, n * each + each), { key: `k${n}` })
      world.answered.set(n, token)
      if (n % 2 === 0) continue
      const batch = yield* reader.next({ records: 4, bytes: 1000 })
      if (batch === null) continue
      world.delivered = [...world.delivered, ...batch.records.map(({ payload }) => payload)]
      world.checkpoint = JSON.parse(JSON.stringify(batch.to))
      yield* reader.ack(batch.to)
    }
  }).pipe(Effect.scoped, Effect.exit)

const check = Effect.fnUntraced(function* (world: World) {
  const ingress = yield* ingressOn(world.folder)
  const rest = yield* payloadsFrom(ingress, world.checkpoint)
  const all = [...world.delivered, ...rest].map((payload) => (payload as { readonly n: number }).n)
  assert.deepStrictEqual(
    all,
    Array.from({ length: pushes * each }, (_, n) => n)
  )
  const ordinal = world.answered.size * each
  const checkpoint = () => world.checkpoint
  const through = yield* Effect.forEach([...world.answered], ([n, token]) =>
    Effect.map(ingress.isThrough({ pipeline: "p-1", token, checkpoint }), (through) => ({ n, through }))
  )
  assert.strictEqual(ordinal, all.length)
  for (const { n, through: is } of through) assert.strictEqual(is, n * each + each <= world.delivered.length)
})

const enumerate = (power: boolean) =>
  Effect.gen(function* () {
    let deaths = 0
    for (let first = 0; ; first++) {
      const alive = dyingDisk(first, power)
      for (let second = 0; ; second++) {
        const world: World = {
          folder: yield* tempFolder,
          answered: new Map(),
          delivered: [],
          checkpoint: null
        }
        yield* life(world, dyingDisk(first, power).disk)
        const again = dyingDisk(second * 3, power)
        yield* life(world, again.disk)
        const last = yield* life(world, fileDisk)
        assert.strictEqual(last._tag, "Success")
        yield* Effect.scoped(check(world))
        if (again.steps.length <= second * 3) break
        deaths++
      }
      const probe: World = { folder: yield* tempFolder, answered: new Map(), delivered: [], checkpoint: null }
      yield* life(probe, alive.disk)
      if (alive.steps.length <= first) break
    }
    // Segments are begun and removed on the way, or the enumeration would prove little.
    assert.isAbove(deaths, 100)
  }).pipe(Effect.scoped)

describe("a process that takes records", () => {
  it.effect("dies at every step, twice: nothing answered is lost, nothing is doubled", () => enumerate(false))
  it.effect("loses its power at every step, twice: the same", () => enumerate(true))
})

/**
 * Any batch, any stage, any crash: a worker does to every record what the record says, sinks refuse what they
 * will, the process dies where it may, and in the end the sinks hold what a model of ten lines says.
 *
 * @module
 */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Schema } from "effect"
import { Worker } from "../../src/flow/Worker.ts"
import { provideAll } from "../../src/pipeline/programFunction.ts"
import { broken, lettersOf, watchAcks } from "./oracles.ts"
import { eventsIn, live, makeWorld } from "./World.ts"

/** What becomes of a record in the stage; `times` is how often it is retried first, or split into how many. */
interface Item {
  readonly id: number
  readonly does: (typeof deeds)[number]
  readonly times: number
}
const deeds = ["ack", "nack", "filter", "split", "rewrite", "splitThenFail"] as const
type Piece = Pick<Item, "id"> & { readonly piece: number; readonly bad?: boolean }

const pieceOf = (id: number, piece = 0): Piece => ({ id, piece })
const piecesOf = ({ does, id, times }: Item): ReadonlyArray<Piece> => {
  const count = does === "split" || does === "splitThenFail" ? times : 1
  const pieces = Array.from({ length: count }, (_, piece) => pieceOf(id, piece))
  // The last piece is one that the stage behind refuses; it leads to one of the two sinks only.
  return does === "splitThenFail" ? [...pieces, { id, piece: count, bad: true }] : pieces
}

/** A worker of one life: it remembers how often it has postponed which record. */
const worker = (retries: (item: Item) => number) => {
  const asked = new Map<number, number>()
  const made = Worker.make<Item, unknown>({
    do: (batch) =>
      Effect.sync(() => {
        for (const { at, payload } of batch.activeRecords) {
          const before = asked.get(payload.id) ?? 0
          asked.set(payload.id, before + 1)
          if (before < retries(payload)) batch.retry(at)
          else if (payload.does === "nack") batch.nack(at, "it says so")
          else if (payload.does === "filter") batch.filter(at)
          else if (payload.does === "split" || payload.does === "splitThenFail")
            batch.split(at, piecesOf(payload))
          else batch.setRecords(at, piecesOf(payload))
        }
      })
  })
  return made as unknown as Worker<unknown>
}

const memory = (name: string) => ({ use: "memory", name })
const definition = (batchSize: number, inFlight: number) => ({
  name: "any",
  stages: {
    in: { source: memory("in") },
    mine: { from: "in", function: { does: "custom", over: "batch" } },
    valid: { from: "mine", validate: { contract: { id: "number", bad: "string?" } } },
    a: { from: "valid", sink: memory("a") },
    b: { from: { stage: "mine", when: "!has(record.bad)" }, sink: memory("b") }
  },
  runtime: { batch_size: batchSize, in_flight: inFlight, checkpoint_interval: "0s" },
  dead_letters: { window: 0 }
})

/** What the sinks and the dead letters must be, told one record at a time. */
const model = (items: ReadonlyArray<Item>, refuses: (piece: Piece) => boolean) => {
  const sinks = { a: [] as Array<Piece>, b: [] as Array<Piece> }
  const letters: Array<readonly [number, ...ReadonlyArray<string>]> = []
  for (const [offset, item] of items.entries()) {
    if (item.does === "filter") continue
    const pieces = item.does === "nack" ? [] : piecesOf(item)
    const lost = (["a", "b"] as const).filter(
      (sink) =>
        item.does === "nack" || (sink === "a" && (pieces.some(({ bad }) => bad) || pieces.some(refuses)))
    )
    if (lost.length > 0) letters.push([offset, ...lost])
    for (const sink of ["a", "b"] as const) {
      if (!lost.includes(sink)) sinks[sink].push(...pieces.filter(({ bad }) => bad !== true))
    }
  }
  return { ...sinks, letters }
}

const Small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const inputs = {
  items: Schema.Array(
    Schema.Struct({ does: Schema.Literals(deeds), times: Small(3), retried: Small(2), refused: Small(5) })
  ),
  crashes: Schema.Array(Small(60)).check(Schema.isMaxLength(3)),
  batchSize: Small(4),
  inFlight: Small(2)
}

type Rolled = { readonly [K in keyof typeof inputs]: (typeof inputs)[K]["Type"] }

const happens = async ({ batchSize, crashes, inFlight, items: rolled }: Rolled): Promise<void> => {
  const items = rolled.map(({ does, times }, id): Item => ({ id, does, times }))
  const refuses = ({ id, piece }: Piece) => rolled[id]!.refused === 0 && piece === 0
  const world = makeWorld((hub) => void hub.source("in", items))
  world.watch = watchAcks(world)
  world.hub.sink("a").refuse = (record) => (refuses(record as Piece) ? "not this one" : undefined)
  const wire = definition(batchSize + 1, inFlight + 1)
  let lives = 0
  const life = (dieAt?: number) =>
    live(world, wire, {
      // A time of its own: the pauses of asking again are over at once. Ids are made of it, so none comes twice.
      at: ++lives * 86_400_000,
      functions: provideAll(
        new Map([
          [
            "mine",
            {
              _tag: "Custom",
              worker: worker(({ id }) => rolled[id]!.retried),
              schema: Schema.Unknown
            } as const
          ]
        ]),
        Context.empty()
      ),
      ...(dieAt === undefined ? {} : { dieAt })
    })
  // A process that dies behind the end of its run leaves nothing to do: the next life would be another run.
  const isOver = () => eventsIn(world).some(({ _tag }) => _tag === "Completed")
  for (const dieAt of crashes) if (!isOver()) await life(dieAt + 1)
  if (!isOver()) await life()
  const expected = model(items, refuses)
  assert.deepStrictEqual(broken(world), [])
  assert.deepStrictEqual<unknown>(
    {
      a: world.hub.sink("a").records,
      b: world.hub.sink("b").records,
      letters: lettersOf(world).map(({ branches, offset }) => [offset, ...branches.toSorted()])
    },
    expected
  )
}

it.effect.prop(
  "conservation, order, effectively once, no early acknowledgement",
  inputs,
  (rolled) => Effect.promise(() => happens(rolled)),
  { arbitrary: { runs: 150, size: 25 }, timeout: 120_000 }
)

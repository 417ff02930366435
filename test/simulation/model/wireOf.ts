/**
 * A case as the engine is given it: a definition, the functions of a program, sources and sinks.
 *
 * @module
 */
import { Effect } from "effect"
import type { MemoryHub } from "../../../src/drivers/memory/MemoryHub.ts"
import type { Functions } from "../../../src/flow/Functions.ts"
import { Worker } from "../../../src/flow/Worker.ts"
import {
  type Case,
  type Digit,
  type Does,
  defaultDigit,
  digits,
  type Item,
  rowOf,
  type Test,
  unknownDigits
} from "./Case.ts"
import { type Piece, programmed } from "./model.ts"

/** The record on the wire: where it comes from, its digits under `d0` and so on, its lists under `l0`. */
type Wire = Readonly<Record<string, unknown>>

export const wireOf = (of: Case): unknown => ({
  name: "case",
  merge: of.merge,
  on_unrouted: of.onUnrouted,
  dead_letters: of.deadLetters,
  runtime: {
    batch_size: of.batchSize,
    in_flight: of.inFlight,
    checkpoint_interval: of.checkpointInterval
  },
  stages: Object.fromEntries(
    of.nodes.map(({ breaks, does, name }) => {
      const from = of.nodes.flatMap((node) =>
        node.edges.flatMap(({ to, when }) =>
          to !== name ? [] : [when === null ? node.name : { stage: node.name, when: condition(when) }]
        )
      )
      return [
        name,
        {
          ...(from.length === 0 ? {} : { from }),
          ...work(name, does),
          ...(does.kind === "source" && of.late !== null ? { event_time: eventTime(of.late) } : {}),
          ...(breaks === null ? {} : { output: contract(breaks) })
        }
      ]
    })
  )
})

const eventTime = ({ allowedMs, onLate }: NonNullable<Case["late"]>) => ({
  field: "time",
  format: "unix_ms",
  allowed_lateness: `${allowedMs}ms`,
  on_late: onLate
})

const condition = ({ below, digit }: Test): string => `record.d${digit} < ${below}`

const contract = ({ below, digit }: Test) => ({
  type: "object",
  properties: { [`d${digit}`]: { type: "number", minimum: below } },
  additionalProperties: true
})

const work = (name: string, does: Does) => {
  switch (does.kind) {
    case "source":
      return { source: { use: "memory", name } }
    case "sink":
      return { sink: { use: "memory", name } }
    case "filter":
      return { filter: condition(does.keeps) }
    case "copy":
      return { map: { set: { [`d${does.to}`]: `record.d${does.from}` } } }
    case "flip":
      return { map: { set: { [`d${does.digit}`]: `9.0 - record.d${does.digit}` } } }
    case "fail":
      return { map: { set: { id: `${condition(does.on)} ? string(int(record.id)) : record.id` } } }
    case "validate":
      return { validate: { contract: contract(does.refuses), on_invalid: does.onInvalid } }
    case "explode": {
      const { into, limit, list, onEmpty } = does
      return { explode: { field: `l${list}`, into: `d${into}`, on_empty: onEmpty, limit } }
    }
    case "lookup": {
      const column = `d${does.into}`
      const match = { [`d${does.digit}`]: "digit" }
      const rest = { match, take: [column], on_miss: does.onMiss, default: { [column]: defaultDigit } }
      return { lookup: { use: "memory", name: "digits", ...rest } }
    }
    case "dedupe":
      return { dedupe: { key: `record.d${does.digit}`, remember: does.remember } }
    case "aggregate": {
      const by = { id: JSON.stringify(`made:${name}`), [`d${does.by}`]: `record.d${does.by}` }
      const others = Array.from({ length: digits }, (_, at) => at).filter((at) => at !== does.by)
      const make = others.map((at) => [`d${at}`, { [at % 2 === 1 ? "min" : "max"]: `record.d${at}` }])
      return {
        aggregate: {
          window: { tumbling: `${does.ms}ms` },
          by,
          make: { n: "count", ...Object.fromEntries(make) }
        }
      }
    }
    case "program":
      return { function: { does: "custom", over: "batch" } }
  }
}

/** The workers of the program stages. A record that is asked about again is known by its payload. */
export const functionsOf = (of: Case): Functions =>
  new Map(
    of.nodes.flatMap(({ does, name }) => {
      if (does.kind !== "program") return []
      const field = `d${does.digit}`
      const asked = new WeakSet<object>()
      const worker = Worker.make<unknown>({
        do: (batch) =>
          Effect.sync(() => {
            for (const { at, payload } of [...batch.activeRecords]) {
              const record = payload as Wire
              const value = record[field] as Digit
              const what = programmed(value)
              if (what === "nack") batch.nack(at, new Error("not this one"))
              else if (what === "filter") batch.filter(at)
              else if (what === "split") batch.split(at, [record, { ...record, [field]: value! + 5 }])
              else if (what === "none") batch.split(at, [])
              else if (what === "set") batch.setRecords(at, [{ ...record, [field]: 0 }])
              else if (what === "retry" && !asked.has(record)) batch.retry(at)
              asked.add(record)
            }
          })
      })
      return [[name, { worker: worker as Worker<unknown, unknown> }] as const]
    })
  )

export const fill = (of: Case, hub: MemoryHub): void => {
  for (const [source, items] of Object.entries(of.records)) {
    const failure = { code: "malformed", message: "not to be read" }
    hub.sourceOf(
      source,
      items.map((item, at) =>
        item === null
          ? { payload: null, metadata: {}, failure }
          : { payload: itemOnWire(of, `${source}:${at}`, item), metadata: {} }
      )
    )
  }
  const known = Array.from({ length: 10 }, (_, digit) => digit).filter(
    (digit) => !unknownDigits.includes(digit)
  )
  const columns = (value: number) =>
    Object.fromEntries(Array.from({ length: digits }, (_, at) => [`d${at}`, value]))
  hub.lookup(
    "digits",
    known.map((digit) => ({ digit, ...columns(rowOf(digit)) }))
  )
  for (const { does, name } of of.nodes) {
    if (does.kind !== "sink") continue
    const sink = hub.sink(name)
    const hits = (test: Test | null, record: unknown) => {
      const value = test === null ? null : (record as Wire)[`d${test.digit}`]
      return typeof value === "number" && value < test!.below
    }
    sink.refuse = (record) => (hits(does.refuses, record) ? "not this one" : undefined)
    sink.encode = (payload) => {
      if (hits(does.cannotEncode, payload)) throw new Error("does not fit")
      return payload
    }
  }
}

const itemOnWire = (of: Case, id: string, item: Item): Wire => ({
  ...onWire(id, item),
  ...(of.late === null ? {} : { time: item.time })
})

/** A piece of the record with this id, as a sink is given it, but for the time. */
export const onWire = (id: string, { digits, lists, more }: Piece): Wire => ({
  id,
  ...more,
  ...Object.fromEntries(digits.map((digit, at) => [`d${at}`, digit])),
  ...Object.fromEntries(lists.flatMap((list, at) => (list === undefined ? [] : [[`l${at}`, list] as const])))
})

/**
 * How fast a history becomes a state again.
 *
 * @module
 */
import { Effect, Result, Stream } from "effect"
import type { StoredEvent } from "../../../events/StoredEvent.ts"
import { decodePipelineEvent } from "../../../events/upcast.ts"
import * as PipelineState from "../../../projections/PipelineState.ts"
import { EventLog } from "../../../src/log/EventLog.ts"
import { alternate } from "../alternate.ts"
import { rowOf } from "../comparison.ts"
import { type History, layerOf, postgresHistory, sqliteHistory } from "../history.ts"
import { measureProcess, pathOf, reportOf } from "../measured.ts"
import type { Given, Part, Row, Section } from "../Part.ts"
import { plainFold } from "./plainFold.ts"

const readAndFold = pathOf("./readAndFold.ts", import.meta.url)

const run = async (given: Given): Promise<Section> => {
  const events = given.quick ? 10_000 : 1_000_000
  const notes: Array<string> = []
  const onSqlite = await sqliteHistory(given, events)
  const inMemory = await foldInMemory(onSqlite, given)
  const stores = [await foldStore("SQLite", onSqlite, given)]
  if ("missing" in given.postgres) notes.push(given.postgres.missing)
  else {
    const history = await postgresHistory(given, given.postgres.url, events)
    stores.push(await foldStore("Postgres", history, given))
  }
  return {
    text: `A stream of seals and confirmations becomes the state its actor lives by. In memory, ours parses, checks the shape of and folds what the log holds; the other side is \`JSON.parse\` and a switch that keeps counters. From a store, ours reads through the log; the other side reads pages of the four columns that matter with the same client, and folds with the same function. Each reading of a store is a process of its own.`,
    tables: [
      { caption: "Events a second (more is better)", rows: [inMemory, ...stores.map(({ speed }) => speed)] },
      {
        caption: "Most memory ever of the reading process, MiB (less is better)",
        rows: stores.map(({ memory }) => memory)
      }
    ],
    notes
  }
}

const foldInMemory = async (history: History, given: Given): Promise<Row> => {
  const rows = await Effect.runPromise(
    EventLog.use((log) => Stream.runCollect(log.read(history.stream, { limit: 100_000 }))).pipe(
      Effect.provide(layerOf(history.place))
    )
  )
  const payloads = rows.map(({ payload }) => payload)
  if (fold(rows).run?.counts.delivered !== plainFold(payloads).delivered) {
    throw new Error("the two folds differ")
  }
  // Several times over: the last rounds decide whether V8 has understood a loop.
  const times = given.quick ? 1 : 3
  const rate = (act: () => unknown) => (): Promise<number> => {
    const began = performance.now()
    for (let i = 0; i < times; i++) act()
    return Promise.resolve((rows.length * times * 1000) / (performance.now() - began))
  }
  const ours = rate(() => fold(rows))
  const samples = await alternate(
    { ours, theirs: rate(() => plainFold(payloads)), again: ours },
    { rounds: given.quick ? 1 : 5, warmUp: 1 }
  )
  return rowOf({
    what: `in memory, ${rows.length.toLocaleString("en")} events`,
    ...samples,
    control: [samples.again, samples.ours],
    asked: "ratio ≥ 0.5"
  })
}

/** Decode and evolve, as an actor that wakes does. */
const fold = (rows: ReadonlyArray<StoredEvent>): PipelineState.PipelineState => {
  let state = PipelineState.initial
  for (const row of rows) {
    state = PipelineState.evolve(state, Result.getOrThrow(decodePipelineEvent(row)))
  }
  return state
}

const foldStore = async (
  store: string,
  history: History,
  given: Given
): Promise<{ readonly speed: Row; readonly memory: Row }> => {
  const side = (name: "log" | "bare") => async () => {
    const measured = await measureProcess([readAndFold, name, JSON.stringify(history)], {
      folder: history.folder
    })
    const { delivered, ms, version } = reportOf<{ ms: number; version: number; delivered: number }>(measured)
    if (version !== history.version || !(delivered > 0)) throw new Error(`${name} has not read all of it`)
    return { rate: (version / ms) * 1000, rssMiB: measured.rssMiB }
  }
  const samples = await alternate(
    { ours: side("log"), theirs: side("bare"), again: side("log") },
    { rounds: given.quick ? 1 : 3, warmUp: 0 }
  )
  const row = (of: "rate" | "rssMiB"): Row => {
    const values = (all: typeof samples.ours) => all.map((sample) => sample[of])
    const [ours, theirs, again] = [values(samples.ours), values(samples.theirs), values(samples.again)]
    const what = `${store}, ${history.version.toLocaleString("en")} events`
    const asked = of === "rate" ? "ratio ≥ 0.7" : "< 300"
    return rowOf({ what, ours, theirs, control: [again, ours], asked })
  }
  return { speed: row("rate"), memory: row("rssMiB") }
}

export default { title: "Fold", run } satisfies Part

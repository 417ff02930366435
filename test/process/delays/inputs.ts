/**
 * Flights and bird strikes of early 2001 (vega-datasets), as a data plane meets them: some flights are told
 * hours too late, some lines are broken, some fit no contract, some airports are not known, and fifteen bad
 * lines in a row are more than the threshold takes.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"

const data = resolve(import.meta.dirname, "../../../node_modules/vega-datasets/data")
const read = (name: string) => readFileSync(join(data, name), "utf8")

export const pipeline = `name: delays
merge: event_time
on_unrouted: drop
stages:
  flights:
    source: { use: file, path: flights.ndjson }
    output: { date: string, delay: number, distance: number, origin: string, destination: string }
    event_time: { field: date, format: "yyyy/MM/dd HH:mm", allowed_lateness: 6h }
  strikes:
    source: { use: file, path: strikes.csv }
    event_time: { field: Flight Date, allowed_lateness: 6h }
  flown:
    from: flights
    map: { kind: '"flight"', at: record.date, place: record.origin, amount: record.delay }
  struck:
    from: strikes
    map: { kind: '"strike"', at: 'record["Flight Date"]', place: 'record["Origin State"]', amount: 'double(record["Cost Total $"])' }
  named:
    from: flown
    lookup: { use: file, path: airports.csv, match: { place: iata }, into: airport, take: [name, state], on_miss: dead_letter }
  events:
    from: [named, struck]
    filter: { field: amount, gte: -1000 }
  all:
    from: events
    sink: { use: file, path: out/all.ndjson }
  late:
    from: { stage: events, when: { all: [{ field: kind, equals: flight }, { field: amount, gt: 60 }] } }
    sink: { use: file, path: out/late.csv }
  costly:
    from: { stage: events, when: 'record.kind == "strike" && record.amount > 0.0' }
    sink: { use: file, path: out/costly.ndjson }
  daily:
    from: events
    aggregate:
      window: { tumbling: 1d }
      by: { kind: record.kind }
      make: { events: count, worst: { max: record.amount }, total: { sum: record.amount } }
  counts:
    from: daily
    sink: { use: file, path: out/daily.ndjson }
dead_letters: { window: 100, threshold: 14 }
runtime: { batch_size: 20, checkpoint_interval: 0s }
`

/** Writes the sources, the table of airports and `delays.yaml` into a folder. */
export const prepare = (folder: string): void => {
  const write = (name: string, lines: ReadonlyArray<string>) =>
    writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(""))
  write("flights.ndjson", flightLines())
  const [header = "", ...strikes] = read("birdstrikes.csv").trim().split(/\r?\n/)
  write("strikes.csv", [header, ...strikes.filter((line) => /,2001-0[123]-\d\d,/.test(line))])
  write(
    "airports.csv",
    read("airports.csv")
      .trim()
      .split(/\r?\n/)
      .filter((line) => !/^(?:PDX|HNL),/.test(line))
  )
  writeFileSync(join(folder, "delays.yaml"), pipeline)
}

const flightLines = (): ReadonlyArray<string> => {
  const flights: ReadonlyArray<{ readonly date: string }> = JSON.parse(read("flights-2k.json"))
  const lines: Array<string> = []
  const held: Array<readonly [number, string]> = []
  for (const [index, flight] of flights.entries()) {
    if (index % 97 === 50) held.push([index + 60, JSON.stringify(flight)])
    else lines.push(JSON.stringify(flight))
    while (held[0] !== undefined && held[0][0] <= index) lines.push(held.shift()![1])
  }
  lines.push(...held.map(([, line]) => line))
  const dateAt = (index: number) => JSON.parse(lines[index]!).date
  const bad = (date: string, delay: string) =>
    `{"date":"${date}","delay":"${delay}","distance":3,"origin":"SEA","destination":"SFO"}`
  lines.splice(100, 0, `{"date":"${dateAt(100)}","delay":`)
  lines.splice(700, 0, bad(dateAt(700), "none"))
  lines.splice(1200, 0, bad("some day", "3"))
  lines.splice(1500, 0, ...Array.from({ length: 15 }, () => bad(dateAt(1500), "n/a")))
  return lines
}

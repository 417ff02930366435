/**
 * What the pipeline of `inputs.ts` must come to, worked out by plain code that knows nothing of Millrace.
 *
 * @module
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"

const hour = 3_600_000
const day = 24 * hour

interface Arrival {
  readonly from: "flights" | "strikes"
  readonly at: number | null
  readonly fault: string | null
  // biome-ignore lint/suspicious/noExplicitAny: a line of a file, whatever it holds
  readonly row: any
}

interface Happened {
  readonly kind: "flight" | "strike"
  readonly at: string
  readonly place: string
  readonly amount: number
  readonly airport?: { readonly name: string; readonly state: string }
}

export interface Expected {
  readonly all: ReadonlyArray<Happened>
  readonly late: ReadonlyArray<Happened>
  readonly costly: ReadonlyArray<Happened>
  readonly daily: ReadonlyArray<Readonly<Record<string, unknown>>>
  /** Dead letters by the code of their reason. */
  readonly letters: Readonly<Record<string, number>>
  readonly read: number
}

/** From the files of the folder. */
export const expected = (folder: string): Expected => {
  const airports = new Map(csv(folder, "airports.csv").map((row) => [row.iata, row]))
  const arrivals = merged(flights(folder), strikes(folder))
  const marks = new Map<string, number>()
  let combined = Number.NEGATIVE_INFINITY
  const all: Array<Happened> = []
  const letters: Record<string, number> = {}
  const days = new Map<string, { events: number; worst: number; total: number; at: number; kind: string }>()
  for (const { at, fault, from, row } of arrivals) {
    const letter = (code: string) => {
      letters[code] = (letters[code] ?? 0) + 1
    }
    if (at === null) {
      letter(fault!)
      continue
    }
    marks.set(from, Math.max(marks.get(from) ?? at, at))
    if (marks.size === 2) combined = Math.max(combined, Math.min(...marks.values()))
    if (at < combined - 6 * hour) letter("late")
    else if (fault !== null) letter(fault)
    else if (from === "flights" && !airports.has(row.origin)) letter("lookup_miss")
    else {
      const happened = from === "flights" ? flown(row, airports.get(row.origin)!) : struck(row)
      all.push(happened)
      const start = Math.floor(at / day) * day
      const key = `${start} ${happened.kind}`
      const { amount, kind } = happened
      const known = days.get(key) ?? { events: 0, worst: amount, total: 0, at: start, kind }
      days.set(key, {
        ...known,
        events: known.events + 1,
        worst: Math.max(known.worst, amount),
        total: known.total + amount
      })
    }
  }
  const daily = [...days.values()]
    .sort((a, b) => a.at - b.at || a.kind.localeCompare(b.kind))
    .map(({ at, kind, ...made }) => ({
      kind,
      window_start: new Date(at).toISOString(),
      window_end: new Date(at + day).toISOString(),
      ...made
    }))
  return {
    all,
    late: all.filter(({ amount, kind }) => kind === "flight" && amount > 60),
    costly: all.filter(({ amount, kind }) => kind === "strike" && amount > 0),
    daily,
    letters,
    read: arrivals.length
  }
}

/** The earlier head goes first, a flight before a strike of the same moment; what has no time goes at once. */
const merged = (left: Array<Arrival>, right: Array<Arrival>): ReadonlyArray<Arrival> => {
  const all: Array<Arrival> = []
  while (left.length + right.length > 0) {
    const [a, b] = [left[0], right[0]]
    const isLeft = b === undefined || (a !== undefined && (a.at === null || a.at <= b.at!))
    all.push((isLeft ? left : right).shift()!)
  }
  return all
}

const flights = (folder: string): Array<Arrival> =>
  lines(folder, "flights.ndjson").map((line): Arrival => {
    const from = "flights"
    let row: { readonly date: string; readonly delay: unknown }
    try {
      row = JSON.parse(line)
    } catch {
      return { from, at: null, fault: "malformed_json", row: null }
    }
    const at = Date.parse(`${row.date.replaceAll("/", "-").replace(" ", "T")}Z`)
    if (Number.isNaN(at)) return { from, at: null, fault: "bad_event_time", row }
    return { from, at, fault: typeof row.delay === "number" ? null : "contract_violation", row }
  })

const strikes = (folder: string): Array<Arrival> =>
  csv(folder, "strikes.csv").map((row) => ({
    from: "strikes",
    at: Date.parse(`${row["Flight Date"]}T00:00:00Z`),
    fault: null,
    row
  }))

const flown = (
  row: { readonly date: string; readonly origin: string; readonly delay: number },
  airport: Readonly<Record<string, string>>
): Happened => ({
  kind: "flight",
  at: row.date,
  place: row.origin,
  amount: row.delay,
  airport: { name: airport.name!, state: airport.state! }
})

const struck = (row: Readonly<Record<string, string>>): Happened => ({
  kind: "strike",
  at: row["Flight Date"]!,
  place: row["Origin State"]!,
  amount: Number(row["Cost Total $"])
})

const lines = (folder: string, name: string): Array<string> =>
  readFileSync(join(folder, name), "utf8").trim().split("\n")

/** Fields in quotes may hold commas; none of these files has a quote or a line break inside a field. */
const csv = (folder: string, name: string): Array<Record<string, string>> => {
  const [header = "", ...rows] = lines(folder, name)
  const columns = fields(header)
  return rows.map((row) => Object.fromEntries(fields(row).map((field, index) => [columns[index]!, field])))
}

const fields = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted ?? plain ?? "")

/**
 * Pipeline files to start from. Each passes `check` as it is; `generator` runs without any data.
 *
 * @module
 */

export const templateNames = ["generator", "files", "csv", "lookup", "routing", "parquet"] as const
export type TemplateName = (typeof templateNames)[number]

export interface Template {
  readonly summary: string
  /** What has to be there before it runs; nothing, when it runs as it is. */
  readonly needs: string | undefined
  readonly text: string
}

const more = `
# More that can stand here, with its defaults:
#
# schedule: manual              # or { interval: 5m }, or { cron: "0 6 * * *", time_zone: Europe/Berlin }
# merge: arrival                # the order of sources that meet: arrival, round_robin or event_time
# on_unrouted: dead_letter      # what no edge takes: dead_letter or drop
# dead_letters: { window: 100, threshold: 10 }   # more among the last 100 records stop the run; window: 0 = no limit
# runtime:
#   batch_size: 1000            # records
#   in_flight: 4                # batches read and not yet written
#   checkpoint_interval: 1s     # how often outputs are made durable
`

const file = (name: string, summary: string, body: string): string =>
  `# ${summary}\n#\n# check it:  millrace check <this file>\n# run it:    millrace run <this file>\n\nname: ${name}\n${body}${more}`

/** The template with this name, its pipeline called `name`. */
export const template = (of: TemplateName, name: string): Template => {
  const { body, needs, summary } = templates[of]
  return { summary, needs, text: file(name, summary, body) }
}

const templates: Readonly<
  Record<
    TemplateName,
    { readonly summary: string; readonly needs: string | undefined; readonly body: string }
  >
> = {
  generator: {
    summary: "Made-up records, filtered and shaped, into a file. It needs no data to run.",
    needs: undefined,
    body: `stages:
  made:
    source: { use: generator, count: 10000, seed: 1 }   # the same seed makes the same records
  high:
    from: made
    filter: record.value > 0.9                          # an expression over record, metadata, key, event_time
  shaped:
    from: high
    map:                                                # a new record, field by field
      id: record.n
      at: record.at
      percent: record.value * 100.0
  store:
    from: shaped
    sink: { use: file, path: out/high.ndjson }          # written beside it, renamed when the run completes
`
  },
  files: {
    summary: "One JSON object a line in, some of them out again.",
    needs: "orders.ndjson, one JSON object a line, each with a field amount",
    body: `stages:
  orders:
    source: { use: file, path: orders.ndjson }          # paths resolve against the folder of this file
    # output: { id: string, amount: number }            # a contract: what does not fit is a dead letter
  large:
    from: orders
    filter: record.amount > 100
  store:
    from: large
    sink: { use: file, path: out/large.ndjson }         # add mode: append to grow it run after run
`
  },
  csv: {
    summary: "A CSV file in; one CSV file with all rows out, and one with those that need attention.",
    needs: "readings.csv, with the columns station, at and celsius",
    body: `stages:
  readings:
    source:
      use: file
      path: readings.csv
      types: { celsius: number }                        # every other column is text
  shaped:
    from: readings
    map:
      set: { fahrenheit: record.celsius * 1.8 + 32.0 }  # set and drop edit the record
      drop: [celsius]
  all:
    from: shaped
    sink: { use: file, path: out/readings.csv }
  hot:
    from: { stage: shaped, when: record.fahrenheit > 100 }   # an edge that only some records take
    sink: { use: file, path: out/hot.csv }
`
  },
  lookup: {
    summary: "Records enriched from a table.",
    needs: "flights.ndjson with a field origin, and airports.csv with the columns iata, name and state",
    body: `stages:
  flights:
    source: { use: file, path: flights.ndjson }
  named:
    from: flights
    lookup:
      use: file
      path: airports.csv
      match: { origin: iata }                           # field of the record: column of the table
      into: airport                                     # the row goes into this field …
      take: [name, state]                               # … with these columns
      on_miss: pass_through                             # or drop, dead_letter, default
  store:
    from: named
    sink: { use: file, path: out/named.ndjson }
`
  },
  routing: {
    summary: "Records sent to several files by conditions, and counted per hour of their own time.",
    needs: "orders.ndjson, with the fields id, at (ISO 8601), region and amount",
    body: `stages:
  orders:
    source: { use: file, path: orders.ndjson }
    output: { id: string, at: string, region: string, amount: number }
    event_time: { field: at, allowed_lateness: 10m }    # an older one is late: a dead letter, or on_late: drop, keep
  once:
    from: orders
    dedupe: { key: record.id }                          # of equal ones the first goes on
  large:
    from: { stage: once, when: { field: amount, gte: 1000 } }   # a condition as data, or in CEL: record.amount >= 1000
    sink: { use: file, path: out/large.ndjson }
  abroad:
    from:
      stage: once                                       # a record takes every edge whose condition holds
      when: { all: [{ field: amount, gt: 0 }, { not: { field: region, equals: home } }] }
    sink: { use: file, path: out/abroad.ndjson }
  hourly:
    from: once
    aggregate:
      window: { tumbling: 1h }                          # or { sliding: 1h, every: 10m }, { session: 30m }
      by: { region: record.region }
      make: { orders: count, revenue: { sum: record.amount } }
  report:
    from: hourly                                        # with the window_start and window_end of each
    sink: { use: file, path: out/hourly.ndjson }
`
  },
  parquet: {
    summary: "Some columns of a Parquet file into CSV. Needs: npm install hyparquet hyparquet-compressors",
    needs: "flights.parquet, with the columns date, delay and origin",
    body: `stages:
  flights:
    source: { use: file, path: flights.parquet, columns: [date, delay, origin] }
  late:
    from: flights
    filter: record.delay > 60
  store:
    from: late
    sink: { use: file, path: out/late.csv, columns: [date, origin, delay] }
`
  }
}

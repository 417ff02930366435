/**
 * Pipelines from files to files that are long enough to be killed in, many times.
 *
 * @module
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"

export interface KilledPipeline {
  readonly name: string
  /** Relative to the folder. */
  readonly outputs: ReadonlyArray<string>
  /** Writes its sources and its `pipeline.yaml` into a folder. */
  readonly prepare: (folder: string) => void
}

/** Records of each pipeline. */
export const rows = 60_000
const runtime = "runtime: { batch_size: 100, checkpoint_interval: 20ms }"

/** NDJSON to NDJSON, with broken lines among the good ones. */
export const ndjson: KilledPipeline = {
  name: "ndjson",
  outputs: ["out/late.ndjson"],
  prepare: (folder: string): void => {
    const line = (id: number) =>
      id % 5000 === 17
        ? `{"id": ${id}, broken`
        : JSON.stringify({ id, delay: (id * 7919) % 200, name: `f-${id}` })
    writeFileSync(
      join(folder, "in.ndjson"),
      Array.from({ length: rows }, (_, id) => `${line(id)}\n`).join("")
    )
    writeFileSync(
      join(folder, "pipeline.yaml"),
      `name: ndjson
stages:
  flights: { source: { use: file, path: in.ndjson, format: ndjson } }
  late: { from: flights, filter: record.delay > 60 }
  store: { from: late, sink: { use: file, path: out/late.ndjson, format: ndjson } }
${runtime}
`
    )
  }
}

/** CSV joined with a table, to CSV and NDJSON, the second behind a condition. */
export const csv: KilledPipeline = {
  name: "csv",
  outputs: ["out/named.csv", "out/long.ndjson"],
  prepare: (folder: string): void => {
    const line = (id: number) => `${id},${(id * 31) % 300},"Place ${id % 7}, ""north"""\n`
    const body = Array.from({ length: rows }, (_, id) => line(id)).join("")
    writeFileSync(join(folder, "in.csv"), `id,delay,place\n${body}`)
    writeFileSync(join(folder, "bands.csv"), "band,label\n0,short\n1,medium\n2,long\n")
    writeFileSync(
      join(folder, "pipeline.yaml"),
      `name: csv
stages:
  in: { source: { use: file, path: in.csv, format: csv, types: { id: integer, delay: number } } }
  banded:
    from: in
    map:
      id: record.id
      place: record.place
      band: "record.delay > 200 ? '2' : record.delay > 100 ? '1' : '0'"
  named: { from: banded, lookup: { use: file, path: bands.csv, format: csv, match: { band: band }, take: [label] } }
  all: { from: named, sink: { use: file, path: out/named.csv, format: csv } }
  long:
    from: { stage: named, when: record.label == "long" }
    sink: { use: file, path: out/long.ndjson, format: ndjson }
${runtime}
`
    )
  }
}

/**
 * The file job as one would write it by hand: as fast as plain Node goes without tricks, and as durable as a
 * pipeline's checkpoints are (`fdatasync` once a second and at the end). It has no log, no dead letters and
 * no contract, and a kill begins it anew.
 *
 * @module
 */
import { createReadStream, readFileSync } from "node:fs"
import { open, rename } from "node:fs/promises"

interface Flight {
  readonly id: number
  readonly date: string
  readonly origin: string
  readonly destination: string
  readonly delay: number
  readonly distance: number
}
interface Airport {
  readonly iata: string
  readonly name: string
  readonly state: string
}

const syncEveryMs = 1000
const writeAtLeast = 256 * 1024

const airports = new Map<string, Airport>()
for (const line of readFileSync("airports.ndjson", "utf8").split("\n")) {
  if (line === "") continue
  const airport = JSON.parse(line) as Airport
  airports.set(airport.iata, airport)
}

const output = await open("handwritten.ndjson.part", "w")
let synced = performance.now()
let pending = ""
let rest = ""

const take = (line: string): void => {
  const flight = JSON.parse(line) as Flight
  if (!(flight.delay > 15)) return
  const airport = airports.get(flight.origin)
  const shaped = {
    id: flight.id,
    date: flight.date,
    hours: flight.delay / 60,
    from: `${airport?.name}, ${airport?.state}`,
    to: flight.destination,
    miles: flight.distance
  }
  pending += `${JSON.stringify(shaped)}\n`
}

for await (const chunk of createReadStream("flights.ndjson", { encoding: "utf8", highWaterMark: 1 << 20 })) {
  const lines = (rest + (chunk as string)).split("\n")
  rest = lines.pop()!
  for (const line of lines) take(line)
  if (pending.length >= writeAtLeast) {
    await output.writeFile(pending)
    pending = ""
  }
  if (performance.now() - synced >= syncEveryMs) {
    await output.datasync()
    synced = performance.now()
  }
}
if (rest !== "") take(rest)
await output.writeFile(pending)
await output.datasync()
await output.close()
await rename("handwritten.ndjson.part", "handwritten.ndjson")

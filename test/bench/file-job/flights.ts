/**
 * The input of the file job: made-up flights, the same for every session, and the airports they mention.
 *
 * @module
 */
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"

const airports = Array.from({ length: 300 }, (_, n) => {
  const code = String.fromCharCode(65 + (n % 26), 65 + (Math.floor(n / 26) % 26), 88)
  return { iata: code, name: `Airport ${code}`, state: `S${n % 50}` }
})

/** Writes `flights.ndjson` and `airports.ndjson` into the folder. */
export const writeFlights = (folder: string, rows: number): void => {
  writeFileSync(join(folder, "airports.ndjson"), airports.map((row) => `${JSON.stringify(row)}\n`).join(""))
  const file = openSync(join(folder, "flights.ndjson"), "w")
  for (let from = 0; from < rows; from += 10_000) {
    const count = Math.min(10_000, rows - from)
    writeSync(file, Array.from({ length: count }, (_, i) => flight(from + i)).join(""))
  }
  closeSync(file)
}

const flight = (n: number): string => {
  const roll = Math.imul(n + 1, 2654435761) >>> 0
  const row = {
    id: n,
    date: `2001-${`${1 + (roll % 12)}`.padStart(2, "0")}-${`${1 + (roll % 28)}`.padStart(2, "0")}`,
    origin: airports[roll % airports.length]!.iata,
    destination: airports[(roll >>> 9) % airports.length]!.iata,
    delay: ((roll >>> 5) % 240) - 60,
    distance: 100 + ((roll >>> 7) % 2900)
  }
  return `${JSON.stringify(row)}\n`
}

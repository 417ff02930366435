/**
 * The file job as a program's pipeline: stages are functions, and contracts are what types them.
 *
 * @module
 */
import { Schema } from "effect"
import { File, Pipeline } from "../../../src/index.ts"

const Flight = Schema.Struct({
  id: Schema.Int,
  date: Schema.String,
  origin: Schema.String,
  destination: Schema.String,
  delay: Schema.Number,
  distance: Schema.Number
})
const Airport = Schema.Struct({ name: Schema.String, state: Schema.String })
const Named = Schema.Struct({ ...Flight.fields, airport: Airport })
const Shaped = Schema.Struct({
  id: Schema.Int,
  date: Schema.String,
  hours: Schema.Number,
  from: Schema.String,
  to: Schema.String,
  miles: Schema.Number
})

export default Pipeline.make("file-job-program", { base: process.cwd() }).pipe(
  Pipeline.source("flights", File.ndjson("flights.ndjson", Flight)),
  Pipeline.filter("late", (flight) => flight.delay > 15),
  Pipeline.lookup("named", Named, {
    end: File.ndjson("airports.ndjson"),
    match: { origin: "iata" },
    into: "airport",
    take: ["name", "state"]
  }),
  Pipeline.map("shaped", Shaped, ({ airport, date, delay, destination, distance, id }) => ({
    id,
    date,
    hours: delay / 60,
    from: `${airport.name}, ${airport.state}`,
    to: destination,
    miles: distance
  })),
  Pipeline.sink("store", File.ndjson("program.ndjson", Shaped))
)

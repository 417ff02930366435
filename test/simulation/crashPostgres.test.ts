/**
 * What the memory log has proven about crashes, on a real Postgres.
 *
 * @module
 */
import { Effect, Redacted } from "effect"
import { afterAll, describe } from "vitest"
import { openSession } from "../../src/log/PostgresSession.ts"
import { startPostgres } from "../support/PostgresServer.ts"
import { survivesCrashes } from "./crashes.ts"
import { topologies } from "./topologies.ts"
import { onPostgres } from "./WorldLog.ts"

const server = await startPostgres()

describe.runIf(typeof server !== "string")("a log on Postgres", async () => {
  if (typeof server === "string") return
  const { linear, letters } = topologies
  const options = { url: Redacted.make(server.url), deadlineMs: 20_000, name: "oracles" }
  const oracles = await Effect.runPromise(openSession(options))
  afterAll(async () => {
    await Effect.runPromise(oracles.close)
    await server.stop()
  })
  let schemas = 0
  const newLog = () => onPostgres(server.url, `world_${schemas++}`, oracles)
  survivesCrashes({ linear: linear!, letters: letters! }, newLog, { first: 17, second: 19 })
})

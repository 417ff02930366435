import { afterAll, describe } from "@effect/vitest"
import { eventLogContract } from "../contracts/EventLog.ts"
import { startPostgres } from "../support/PostgresServer.ts"
import { layerPostgresTemporary } from "./postgres.ts"

const server = await startPostgres()
afterAll(() => (typeof server === "string" ? undefined : server.stop()))

describe.runIf(typeof server !== "string")("Postgres", () => {
  if (typeof server !== "string") eventLogContract("Postgres", () => layerPostgresTemporary(server.url))
})

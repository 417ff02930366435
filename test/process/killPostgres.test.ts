import { afterAll, describe } from "vitest"
import { startPostgres } from "../support/PostgresServer.ts"
import { survivesKills } from "./kills.ts"
import { onServer } from "./Place.ts"

const server = await startPostgres()
afterAll(() => (typeof server === "string" ? undefined : server.stop()))

describe.runIf(typeof server !== "string")("a log on Postgres", () => {
  if (typeof server !== "string") survivesKills(onServer(server))
})

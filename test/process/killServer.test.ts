/**
 * The Postgres server dies under a run, with all its processes and without a word, and comes back: the run
 * waits for it and goes on by itself.
 *
 * @module
 */
import { afterAll, assert, describe, it } from "vitest"
import { startPostgres } from "../support/PostgresServer.ts"
import { run, start, temporaryFolder } from "./CommandLine.ts"
import { isTheSame, runUndisturbed, timeout } from "./kills.ts"
import { type Marker, once } from "./Marker.ts"
import { onServer, type Place } from "./Place.ts"
import { csv } from "./pipelines.ts"

const server = await startPostgres()
afterAll(() => (typeof server === "string" ? undefined : server.stop()))

/** Where the server dies, each counted from its return. */
const deaths: ReadonlyArray<Marker> = [
  { type: "RunStarted", count: 1 },
  { type: "BatchSealed", count: 1 },
  { type: "StageApplied", count: 1 },
  { type: "BatchSealed", count: 30 },
  { type: "StageApplied", count: 40 },
  { type: "BatchSealed", count: 2 },
  { type: "BatchSealed", count: 40 },
  { type: "StageApplied", count: 2 },
  { type: "StageApplied", count: 60 },
  { type: "BatchSealed", count: 20 }
]

describe.runIf(typeof server !== "string")("a log on Postgres", () => {
  if (typeof server === "string") return

  it("brings a run through ten deaths of its server, in one life", { timeout }, async () => {
    using calm = temporaryFolder()
    using rough = temporaryFolder()
    const newPlace = onServer(server)
    const undisturbed = await runUndisturbed(csv, calm.path, newPlace)
    const place = await newPlace(rough.path)
    csv.prepare(rough.path)

    let marker = await comeTo(place, deaths[0]!)
    const life = start(rough.path, "run", "pipeline.yaml", "--json", ...place.flags)
    for (const following of [...deaths.slice(1), undefined]) {
      await Promise.race([marker.reached, endedEarly(life.outcome)])
      await marker.close()
      await server.kill()
      await server.start()
      if (following !== undefined) marker = await comeTo(place, following)
    }

    const outcome = await life.outcome
    assert.strictEqual(outcome.code, 0, outcome.stderr)
    await isTheSame(csv, { folder: calm.path, outcome: undisturbed }, { folder: rough.path, outcome, place })
    assert.strictEqual(await place.count("RunStarted"), 1)
    assert.strictEqual(await place.count("ReplayStarted"), 0)
    assert.match(outcome.stderr, /Postgres cannot .*Trying again for 60 s/)
    assert.match(outcome.stderr, /The log answers again/)
  })

  it("that dies while a run begins leaves one that ends well or says what to do", { timeout }, async () => {
    using calm = temporaryFolder()
    using rough = temporaryFolder()
    const newPlace = onServer(server)
    const undisturbed = await runUndisturbed(csv, calm.path, newPlace)
    const place = await newPlace(rough.path)
    csv.prepare(rough.path)

    const { close, reached } = await comeTo(place, { type: "PipelineRegistered", count: 1 })
    const life = start(rough.path, "run", "pipeline.yaml", "--json", ...place.flags)
    await reached
    await close()
    await server.kill()
    await server.start()
    let outcome = await life.outcome
    if (outcome.code !== 0) {
      assert.strictEqual(outcome.code, 3, outcome.stderr)
      assert.strictEqual(JSON.parse(outcome.stdout).error.code, "log_unavailable")
      outcome = await run(rough.path, "run", "pipeline.yaml", "--json", ...place.flags)
    }
    await isTheSame(csv, { folder: calm.path, outcome: undisturbed }, { folder: rough.path, outcome, place })
  })
})

const comeTo = async (place: Place, marker: Marker) => {
  let reach = () => {}
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const { close } = await once(place, marker, () => reach())
  return { reached, close }
}

/** A run that ends while its server is to die has not survived it. */
const endedEarly = async (outcome: ReturnType<typeof start>["outcome"]): Promise<never> => {
  const { code, stderr, stdout } = await outcome
  throw new Error(`the run ended with ${code}: ${stdout}${stderr}`)
}

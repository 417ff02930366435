/**
 * The promise of the house, for any place a log can be in: SIGKILL at any moment, any number of times, and
 * in the end the outputs are byte for byte those of a run that nobody disturbed.
 *
 * @module
 */
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { digest, type Outcome, run, start, temporaryFolder } from "./CommandLine.ts"
import { killAt, once } from "./Marker.ts"
import type { NewPlace, Place } from "./Place.ts"
import { csv, type KilledPipeline, ndjson, rows } from "./pipelines.ts"

/** Milliseconds: a dozen processes start, one after the other, on a machine that may be busy. */
export const timeout = 240_000

/** Where each life of a pipeline ends. */
const markers = [
  { type: "RunStarted", count: 1 },
  { type: "BatchSealed", count: 1 },
  { type: "BatchSealed", count: 7 },
  { type: "StageApplied", count: 1 },
  { type: "BatchSealed", count: 40 },
  { type: "ReplayStarted", count: 1 },
  { type: "StageApplied", count: 30 },
  { type: "BatchSealed", count: 90 },
  { type: "StageApplied", count: 100 },
  // The last one is well before the end: a life that has logged its finish may complete before the signal comes.
  { type: "BatchSealed", count: 60 }
]

/** Declares twenty kills of the command in the middle of its work, and one of a process that others wait for. */
export const survivesKills = (newPlace: NewPlace): void => {
  describe.each([ndjson, csv])("$name", (pipeline) => {
    it("is the same after ten kills", { timeout }, async () => {
      using calm = temporaryFolder()
      using rough = temporaryFolder()
      const undisturbed = await runUndisturbed(pipeline, calm.path, newPlace)
      const place = await newPlace(rough.path)
      pipeline.prepare(rough.path)
      for (const marker of markers) {
        const life = await killAt(rough.path, place, marker, "run", "pipeline.yaml")
        assert.strictEqual(
          life.signal,
          "SIGKILL",
          `it ended before ${marker.count} more ${marker.type}: ${life.stderr}`
        )
      }
      const resumed = await run(rough.path, "run", "pipeline.yaml", "--json", ...place.flags)
      assert.strictEqual(resumed.code, 0, resumed.stderr)
      assert.isAbove(summaryOf(resumed).resumed_from, 0)
      await isTheSame(
        pipeline,
        { folder: calm.path, outcome: undisturbed },
        { folder: rough.path, outcome: resumed, place }
      )
    })
  })

  it("tells a second process who holds the log, and lets it in once the holder is killed", {
    timeout
  }, async () => {
    using folder = temporaryFolder()
    const place = await newPlace(folder.path)
    ndjson.prepare(folder.path)
    const holder = await stoppedInTheMiddle(folder.path, place)
    const refused = await run(folder.path, "run", "pipeline.yaml", "--json", ...place.flags)
    holder.child.kill("SIGKILL")
    await holder.outcome
    assert.strictEqual(refused.code, 3, refused.stderr)
    const { error } = JSON.parse(refused.stdout)
    assert.strictEqual(error.code, "log_locked")
    assert.match(error.message, new RegExp(`process ${holder.child.pid}`))

    const heir = await run(folder.path, "run", "pipeline.yaml", "--json", ...place.flags)
    assert.strictEqual(heir.code, 0, heir.stderr)
    assert.strictEqual(summaryOf(heir).read, rows)
  })
}

/** Makes the folder's files and runs the pipeline on a log of its own. */
export const runUndisturbed = async (
  pipeline: KilledPipeline,
  folder: string,
  newPlace: NewPlace
): Promise<Outcome> => {
  pipeline.prepare(folder)
  const outcome = await run(folder, "run", "pipeline.yaml", "--json", ...(await newPlace(folder)).flags)
  assert.strictEqual(outcome.code, 0, outcome.stderr)
  return outcome
}

interface Finished {
  readonly folder: string
  readonly outcome: Outcome
}

/** Nothing lost, nothing doubled, nothing left behind, and a log that says so. */
export const isTheSame = async (
  { outputs }: KilledPipeline,
  calm: Finished,
  rough: Finished & { readonly place: Place }
): Promise<void> => {
  for (const output of outputs)
    assert.strictEqual(digest(join(rough.folder, output)), digest(join(calm.folder, output)), output)
  // No partial file, no lock.
  assert.deepStrictEqual(
    readdirSync(join(rough.folder, "out")).sort(),
    readdirSync(join(calm.folder, "out")).sort()
  )
  const verified = await run(rough.folder, "verify", "--json", ...rough.place.flags)
  assert.strictEqual(verified.code, 0, verified.stdout)
  const before = summaryOf(calm.outcome)
  const after = summaryOf(rough.outcome)
  for (const member of ["read", "filtered", "unrouted", "dead_lettered", "applied"]) {
    assert.deepStrictEqual(after[member], before[member], member)
  }
  assert.strictEqual(after.read, rows)
  assert.strictEqual(await rough.place.count("Completed"), 1)
}

// biome-ignore lint/suspicious/noExplicitAny: what a command printed, read as any program reads it
const summaryOf = ({ stdout }: Outcome): any => JSON.parse(stdout).result.pipelines[0]

/** A process that has begun to work and stands still, with all it holds. */
const stoppedInTheMiddle = async (folder: string, place: Place) => {
  let stop = () => {}
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  const watching = await once(place, { type: "BatchSealed", count: 1 }, () => stop())
  const life = start(folder, "run", "pipeline.yaml", ...place.flags)
  await stopped
  life.child.kill("SIGSTOP")
  await watching.close()
  return life
}

/**
 * How long a killed pipeline takes to be at work again.
 *
 * @module
 */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { alternate } from "../alternate.ts"
import { rowOf } from "../comparison.ts"
import { firstOutput } from "../firstOutput.ts"
import { type History, pipelineFile, postgresHistory, sqliteHistory } from "../history.ts"
import type { Given, Part, Row, Section } from "../Part.ts"
import { rewinding } from "./rewind.ts"

const asked = new Map([
  [10_000, "< 0.5"],
  [1_000_000, "< 1"]
])

const run = async (given: Given): Promise<Section> => {
  const sizes = given.quick ? [10_000] : [10_000, 1_000_000]
  const notes: Array<string> = []
  const rows: Array<Row> = []
  for (const events of sizes) rows.push(await resume("SQLite", await sqliteHistory(given, events), given))
  if ("missing" in given.postgres) notes.push(given.postgres.missing)
  else {
    for (const events of sizes) {
      rows.push(await resume("Postgres", await postgresHistory(given, given.postgres.url, events), given))
    }
  }
  return {
    text: "`millrace run` on a pipeline that was killed: from starting the process until the first record after its checkpoint has been read, sealed in the log and printed. The process claims the stream, loads the newest snapshot, folds the 500 events after it and goes on. The other side is the same command on an empty log on SQLite: what any first run takes.",
    tables: [{ caption: "Seconds to the first record (less is better)", rows }],
    notes
  }
}

const resume = async (store: string, history: History, given: Given): Promise<Row> => {
  const { folder, place, version } = history
  const rewind = await rewinding(history)
  const ours = async () => {
    await rewind()
    return (await firstOutput(pipelineFile, folder, place)) / 1000
  }
  const theirs = async () => {
    const directory = join(folder, "empty")
    rmSync(directory, { recursive: true, force: true })
    return (await firstOutput(pipelineFile, folder, { directory })) / 1000
  }
  const samples = await alternate(
    { ours, theirs, again: ours },
    { rounds: given.quick ? 1 : 5, warmUp: given.quick ? 0 : 1 }
  )
  // Whoever reads this log next finds it as it was made.
  await rewind()
  const limit = asked.get(version)
  return rowOf({
    what: `${store}, ${version.toLocaleString("en")} events`,
    ...samples,
    control: [samples.again, samples.ours],
    ...(limit === undefined ? {} : { asked: limit })
  })
}

export default { title: "Resume", run } satisfies Part

/**
 * A folder that is gone after the test, and ends of the file driver in it.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Schema } from "effect"
import type { DriverContext } from "../../src/drivers/Driver.ts"
import type { DriverError } from "../../src/drivers/DriverError.ts"
import { fileSource } from "../../src/drivers/file/FileSource.ts"
import { fileSink } from "../../src/drivers/file/sink/FileSink.ts"

export const tempFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "millrace-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

export const contextOf = (base: string, id = "p-1"): DriverContext => ({
  pipeline: { id, name: "test" },
  stage: "stage",
  base
})

/** The source that a file's settings mean, as they stand in a pipeline file. */
export const sourceIn = (base: string, config: Readonly<Record<string, unknown>>) =>
  Effect.suspend(() =>
    fileSource.make(Schema.decodeUnknownSync(fileSource.config)(config, strict), contextOf(base))
  )

export const sinkIn = (base: string, config: Readonly<Record<string, unknown>>, id?: string) =>
  Effect.suspend(() =>
    fileSink.make(Schema.decodeUnknownSync(fileSink.config)(config, strict), contextOf(base, id))
  )

const strict = { errors: "all", onExcessProperty: "error" } as const

/** A file of this content in a folder of its own; its source. */
export const sourceOver = Effect.fnUntraced(function* (
  name: string,
  content: string | Uint8Array,
  config: Readonly<Record<string, unknown>> = {}
) {
  const folder = yield* tempFolder
  writeFileSync(join(folder, name), content)
  return yield* sourceIn(folder, { path: name, ...config })
})

export const vega = (name: string): string => join("node_modules", "vega-datasets", "data", name)
export const vegaText = (name: string): string => readFileSync(vega(name), "utf8")

/** The movies as NDJSON: real values, nulls and accents. */
export const movies = (): string => {
  const rows: ReadonlyArray<unknown> = JSON.parse(vegaText("movies.json"))
  return `${rows.map((row) => JSON.stringify(row)).join("\n")}\n`
}

/** Code of the error an effect fails with. */
export const codeOf = <A, R>(effect: Effect.Effect<A, DriverError, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason.code)

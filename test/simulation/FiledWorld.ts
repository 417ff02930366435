/**
 * Worlds with files: beside the memory sinks, files of both modes that get the same records.
 *
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Scope } from "effect"
import type { Driver } from "../../src/drivers/Driver.ts"
import { fileDriver } from "../../src/drivers/file/FileDriver.ts"
import type { Sink, SinkWriter } from "../../src/drivers/Sink.ts"
import type { Topology } from "./topologies.ts"
import { makeWorld, type World } from "./World.ts"
import { inMemory } from "./WorldLog.ts"

/** A folder that is gone when the process of the tests ends. */
const folder = mkdtempSync(join(tmpdir(), "millrace-world-"))
process.on("exit", () => rmSync(folder, { recursive: true, force: true }))

/** Beside the memory sinks, files of both modes that get the same records. */
export const withFiles = (topology: Topology): Topology => {
  // A record without its columns would be a letter of the file's alone.
  const made = topology.letters.length > 0 ? "ndjson" : "csv"
  const definition = topology.definition as { readonly stages: Readonly<Record<string, object>> }
  const from = Object.entries(definition.stages).flatMap(([, stage]) =>
    "sink" in stage && "from" in stage ? [stage.from] : []
  )
  const files = from.flatMap((each, index) => [
    [`kept${index}`, { from: each, sink: { use: "file", path: `kept${index}.ndjson`, mode: "append" } }],
    [`made${index}`, { from: each, sink: { use: "file", path: `made${index}.${made}` } }]
  ])
  return {
    ...topology,
    definition: { ...definition, stages: { ...definition.stages, ...Object.fromEntries(files) } }
  }
}

let worlds = 0
export interface Filed extends World {
  readonly base: string
}

export const worldOf = (topology: Topology): Filed => {
  const base = join(folder, `${worlds++}`)
  const world = { ...makeWorld((hub) => topology.fill(hub), inMemory()), base }
  world.drivers.push(crossing(world))
  return world
}

/** The file driver with its calls as crossings. What it has open is closed with the process at the latest. */
const crossing = (world: World): Driver => {
  const around = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.andThen(
      world.cross(`before file.${what}`),
      Effect.tap(effect, () => world.cross(`after file.${what}`))
    )
  const writerOf = (writer: SinkWriter): SinkWriter => ({
    ...writer,
    write: (batch) => around("write", writer.write(batch)),
    flush: around("flush", writer.flush),
    finish: around("finish", writer.finish),
    publish: around("publish", writer.publish)
  })
  const sink = fileDriver.sink!
  return {
    ...fileDriver,
    sink: {
      ...sink,
      make: (config, context) =>
        Effect.map(
          sink.make(config, context),
          (made): Sink => ({
            encode: (payload) => made.encode(payload),
            open: (opening) =>
              Effect.gen(function* () {
                const own = yield* Scope.fork(world.process)
                yield* Effect.addFinalizer((exit) => Scope.close(own, exit))
                return yield* around("open", Effect.map(Scope.provide(made.open(opening), own), writerOf))
              })
          })
        )
    }
  }
}

/** What every visible output file holds, by name. */
export const filesOf = ({ base }: Filed): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(base)
      .filter((name) => !name.startsWith("."))
      .sort()
      .map((name) => [name, readFileSync(join(base, name), "utf8")])
  )

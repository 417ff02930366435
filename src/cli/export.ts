/**
 * `millrace export`: the log of one pipeline as a file.
 *
 * @module
 */
import { randomBytes } from "node:crypto"
import { type FileHandle, open, rm } from "node:fs/promises"
import { Effect, Option, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { EventLog } from "../log/EventLog.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { Json } from "./globalFlags.ts"
import { type LogHeader, logFileVersion, logFormat, rowLine } from "./logFile.ts"
import { maskOf, maskPayload } from "./maskPayload.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { answer, say, writeOut } from "./report.ts"
import { plural, shown, styleOf } from "./terminal.ts"

const flags = {
  name: Argument.String("name").pipe(Argument.withDescription("Name of the pipeline")),
  out: Flag.String("out").pipe(
    Flag.withAlias("o"),
    Flag.withDescription("The file to write; stdout when absent. Never overwrites"),
    Flag.withMetavar("<file>"),
    Flag.optional
  ),
  mask: Flag.Boolean("mask").pipe(
    Flag.withDescription("Replace users' values, for somebody else's eyes; such a file cannot be imported"),
    Flag.withDefault(false)
  )
}

interface Options {
  readonly name: string
  readonly out: Option.Option<string>
  readonly mask: boolean
}

export const exportLog = Command.make("export", flags, (options) => onLog(exportPipeline(options))).pipe(
  Command.withDescription("Write the log of a pipeline as NDJSON: a header, then one stored event a line"),
  Command.withExamples([
    {
      command: "millrace export delayed-flights --out flights.ndjson",
      description: "To keep, or to import elsewhere"
    },
    {
      command: "millrace export delayed-flights --mask | gzip > flights.gz",
      description: "To show, without the records"
    }
  ])
)

const exportPipeline = Effect.fnUntraced(function* ({ mask, name, out }: Options) {
  const { id, stream } = yield* findPipeline(name)
  const path = Option.getOrUndefined(out)
  if (path === undefined && (yield* Json)) {
    return yield* new CliFailure({
      exit: exitCode.badInput,
      code: "out_required",
      message: "with --json stdout holds the one object, so the log needs a file",
      suggestion: "name it with --out"
    })
  }
  const log = yield* EventLog
  // What is appended meanwhile is not part of it: the header says where it ends.
  const head = (yield* log.heads).find((each) => each.stream === stream)
  const header: LogHeader = {
    format: logFormat,
    version: logFileVersion,
    pipeline: name,
    id,
    stream,
    events: head?.version ?? 0,
    hash: mask ? null : (head?.hash ?? null),
    masked: mask
  }
  const masking = maskOf(randomBytes(32))
  const line = (row: StoredEvent) =>
    rowLine(mask ? { ...row, payload: maskPayload(row.payload, masking) } : row, mask)
  const writeAll = (write: (text: string) => Effect.Effect<void, CliFailure>) =>
    Effect.andThen(
      write(`${JSON.stringify(header)}\n`),
      Stream.runForEachArray(log.read(stream, { limit: header.events }), (page) =>
        write(page.map(line).join(""))
      )
    )
  const written = `${plural(header.events, "event")} of ${shown(name)}${mask ? ", masked: the hashes are left out" : ""}`
  if (path === undefined) {
    yield* writeAll(writeOut)
    return yield* say(written)
  }
  yield* toFile(path, writeAll)
  yield* answer("export", { name, id, events: header.events, path, masked: mask }, () => [
    `${styleOf(process.stdout).green("✓")} wrote ${shown(path)}: ${written}`
  ])
})

/** On the disk when it returns. A file that could not be finished is taken away again. */
const toFile = <E, R>(
  path: string,
  writeAll: (write: (text: string) => Effect.Effect<void, CliFailure>) => Effect.Effect<void, E, R>
) => {
  const attempt = <A>(act: () => Promise<A>) =>
    Effect.tryPromise({ try: act, catch: (cause) => unwritable(path, cause) })
  const fill = (file: FileHandle) =>
    Effect.andThen(
      writeAll((text) => Effect.asVoid(attempt(() => file.writeFile(text)))),
      attempt(() => file.sync())
    ).pipe(Effect.onError(() => Effect.promise(() => rm(path, { force: true }))))
  // wx: what is there is never overwritten.
  return Effect.acquireUseRelease(
    attempt(() => open(path, "wx")),
    fill,
    (file) => Effect.promise(() => file.close())
  )
}

const unwritable = (path: string, cause: unknown): CliFailure => {
  const { code, message } = cause as NodeJS.ErrnoException
  return code === "EEXIST"
    ? new CliFailure({
        exit: exitCode.badInput,
        code: "file_exists",
        message: `${path} exists, and nothing is overwritten`,
        suggestion: "name another file with --out"
      })
    : new CliFailure({
        exit: exitCode.environment,
        code: code === "ENOSPC" ? "disk_full" : "file_unwritable",
        message: `${path} cannot be written: ${message}`
      })
}

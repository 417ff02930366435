/**
 * `millrace import`: a log that was exported, into this data directory or database.
 *
 * @module
 */
import { Clock, Effect, Option, Result, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type CatalogEvent, catalogStream } from "../../events/CatalogEvent.ts"
import { namePattern } from "../../events/Definition.ts"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { decodeCatalogEvent, decodePipelineEvent, schemaVersion } from "../../events/upcast.ts"
import * as Catalog from "../../projections/Catalog.ts"
import { importStream, type NotImportable } from "../log/importStream.ts"
import { openSqliteImport } from "../log/SqliteImport.ts"
import { nextId } from "../pipeline/Identity.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { localUser } from "./localUser.ts"
import { type LogHeader, logFileVersion, readHeader, readRow } from "./logFile.ts"
import { type LogPlace, logPlace } from "./logPlace.ts"
import { type Line, LineTooLong, readLines } from "./readLines.ts"
import { answer } from "./report.ts"
import { plural, shown, styleOf } from "./terminal.ts"

const flags = {
  file: Argument.String("file").pipe(Argument.withDescription("What `millrace export` wrote")),
  name: Flag.String("name").pipe(
    Flag.withDescription("The pipeline's name here; as it was exported when absent"),
    Flag.withMetavar("<name>"),
    Flag.optional
  )
}

interface Options {
  readonly file: string
  readonly name: Option.Option<string>
}

export const importLog = Command.make("import", flags, (options) => importFile(options)).pipe(
  Command.withDescription(
    "Take an exported log over, unchanged: its ids, times and hashes stay what they were"
  ),
  Command.withExamples([
    {
      command: "millrace import flights.ndjson",
      description: "Into .millrace, which is made if it is not there"
    },
    {
      command: "millrace import flights.ndjson --name flights-of-2025 --data-dir archive",
      description: "Under another name, into another folder"
    },
    {
      command: "millrace import flights.ndjson --database-url postgres://me@db/millrace",
      description: "Into a database"
    }
  ])
)

const importFile = Effect.fnUntraced(function* ({ file, name }: Options) {
  const header = yield* headerOf(file)
  const wanted = Option.getOrElse(name, () => header.pipeline)
  if (!namePattern.test(wanted)) {
    return yield* refuse(
      "bad_name",
      `${JSON.stringify(wanted)} is no name for a pipeline`,
      "letters, digits, _ and -, at most 100: name it with --name"
    )
  }
  const place = yield* logPlace
  yield* importStream({
    store: importInto(place),
    stream: header.stream,
    end: { version: header.events, hash: header.hash ?? "" },
    pages: rowsOf(file),
    companion: { stream: catalogStream, decide: (rows) => registration(rows, header.id, wanted) }
  }).pipe(
    Effect.catch((error) =>
      error._tag === "NotImportable"
        ? Effect.fail(notImportable(file, header, place, error))
        : Effect.fail(error)
    )
  )
  const { events, id } = header
  yield* answer("import", { name: wanted, id, events }, () => {
    const style = styleOf(process.stdout)
    return [
      `${style.green("✓")} imported ${shown(wanted)}: ${plural(events, "event")}, the chain of hashes is whole`,
      `  ${style.dim("→")} millrace events ${shown(wanted)}`
    ]
  })
})

/** Postgres is loaded when it is used, like everywhere. */
const importInto = (place: LogPlace) =>
  place._tag === "Folder"
    ? openSqliteImport(place)
    : Effect.flatMap(
        Effect.promise(() => import("../log/PostgresImport.ts")),
        ({ openPostgresImport }) => openPostgresImport(place)
      )

const refuse = (code: string, message: string, suggestion?: string): Effect.Effect<never, CliFailure> =>
  Effect.fail(refusal(code, message, suggestion))

const refusal = (code: string, message: string, suggestion?: string): CliFailure =>
  new CliFailure({
    exit: exitCode.badInput,
    code,
    message,
    ...(suggestion === undefined ? {} : { suggestion })
  })

const headerOf = Effect.fnUntraced(function* (file: string) {
  const first = yield* Stream.runHead(linesOf(file))
  const header = Option.flatMap(first, ([line]) =>
    line === undefined ? Option.none() : readHeader(line.text)
  )
  if (Option.isNone(header) || header.value.stream !== pipelineStream(header.value.id)) {
    return yield* refuse(
      "not_an_export",
      `${file} does not begin with the header of an exported log`,
      "`millrace export <name> --out <file>` writes one"
    )
  }
  if (header.value.version > logFileVersion) {
    return yield* refuse(
      "newer_export",
      `${file} is of version ${header.value.version}; this release reads up to ${logFileVersion}`,
      "use the release that wrote it, or a newer one"
    )
  }
  if (header.value.masked) {
    return yield* refuse(
      "masked_export",
      `${file} was masked: its values are gone, so it is no history to go on from`,
      "export it again without --mask"
    )
  }
  return header.value
})

const linesOf = (file: string): Stream.Stream<ReadonlyArray<Line>, CliFailure> =>
  Stream.fromAsyncIterable(readLines(file), (cause) =>
    cause instanceof LineTooLong
      ? refusal("not_an_export", `${file}: ${cause.message}`)
      : refusal(
          "file_unreadable",
          `${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`
        )
  )

/** Every line but the header's, as a row that this release can also read. */
const rowsOf = (file: string): Stream.Stream<ReadonlyArray<StoredEvent>, CliFailure> =>
  Stream.mapEffect(linesOf(file), (lines) =>
    Effect.forEach(
      lines.filter(({ number }) => number > 1),
      ({ number, text }) => {
        const row = readRow(text)
        if (Option.isNone(row))
          return refuse("not_an_export", `${file}, line ${number}: it is no stored event`)
        const event = decodePipelineEvent(row.value)
        return Result.isFailure(event)
          ? refuse("undecodable_event", `${file}, line ${number}: ${event.failure.message}`)
          : Effect.succeed(row.value)
      }
    )
  )

const notImportable = (
  file: string,
  header: LogHeader,
  place: LogPlace,
  { code, message, version }: NotImportable
) => {
  switch (code) {
    case "stream_exists":
      return refusal(
        code,
        `${file} is pipeline ${header.id}, which this log already has`,
        place._tag === "Folder"
          ? "import it into another folder with --data-dir"
          : "import it into another database with --database-url"
      )
    case "incomplete_history":
      return refusal(code, `${file}: ${message}`, "the file is not whole: export it again")
    case "broken_chain":
    case "duplicate_event_id":
      // The header is the first line, and versions count from 1.
      return refusal(code, `${file}, line ${version + 1}: ${message}`, "restore the file as it was exported")
  }
}

/** The pipeline's entry in the catalog, or why its name or id cannot be had. */
const registration = Effect.fnUntraced(function* (
  rows: ReadonlyArray<StoredEvent>,
  id: string,
  name: string
) {
  let catalog = Catalog.initial
  for (const row of rows) catalog = Catalog.evolve(catalog, yield* Effect.fromResult(decodeCatalogEvent(row)))
  if (Catalog.idOf(catalog, name) !== undefined) {
    return yield* refuse(
      "duplicate_name",
      `there is a pipeline ${shown(name)} already`,
      "give this one another name with --name"
    )
  }
  const event: CatalogEvent = { _tag: "PipelineRegistered", id, name }
  return [
    {
      eventId: yield* nextId,
      type: event._tag,
      schemaVersion,
      payload: JSON.stringify(event),
      at: yield* Clock.currentTimeMillis,
      by: localUser(),
      causationId: null,
      correlationId: null
    }
  ]
})

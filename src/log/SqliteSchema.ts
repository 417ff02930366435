/**
 * The file of the embedded log: where it lies, what its tables are, and whether a file is one of ours.
 *
 * @module
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, statfsSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { refuse } from "./SqliteFailure.ts"

/** The format this release writes. A file with a higher `user_version` is of a newer release. */
export const formatVersion = 1

/** The least space (bytes) a writer wants to find free on the device when it starts: 16 MiB. */
export const minimumFreeBytes = 16 * 1024 * 1024

/** "mlrc": tells our files from other people's databases. */
const applicationId = 0x6d6c7263

export const databasePath = (directory: string): string => join(directory, "millrace.db")

const tables = `
  create table events (
    position integer primary key,
    stream text not null,
    version integer not null,
    type text not null,
    schemaVersion integer not null,
    payload text not null,
    at integer not null,
    eventId text not null unique,
    causationId text,
    correlationId text,
    "by" text not null,
    epoch integer not null,
    hash text not null,
    unique (stream, version)
  ) strict;
  create table streams (
    stream text primary key,
    version integer not null,
    epoch integer not null,
    hash text not null
  ) strict, without rowid;
  create table snapshots (
    stream text not null,
    fold text not null,
    foldVersion integer not null,
    version integer not null,
    state text not null,
    primary key (stream, fold)
  ) strict;
  pragma application_id = ${applicationId};
  pragma user_version = ${formatVersion};
`

const syncFolder = (path: string): void => {
  const folder = openSync(path, "r")
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Makes the directory if need be and checks that there is room to work; throws. */
export const prepareDirectory = (directory: string): void => {
  // SQLite makes its files durable inside the folder; that there is a folder is for us to make durable.
  const made = mkdirSync(directory, { recursive: true, mode: 0o700 })
  for (let path = resolve(directory); made !== undefined; path = dirname(path)) {
    syncFolder(dirname(path))
    if (path === resolve(made)) break
  }
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize < minimumFreeBytes) {
    refuse({
      _tag: "DiskFull",
      message: `Less than ${minimumFreeBytes / 1024 / 1024} MiB are free in ${directory}. Free some space first.`
    })
  }
}

/**
 * Opens the log for writing and makes its tables in a new file; throws. WAL with `synchronous=FULL`: a
 * commit has reached the disk when it returns, and readers do not disturb it.
 */
export const openWriter = (directory: string): DatabaseSync => {
  const database = new DatabaseSync(databasePath(directory), { timeout: busyTimeoutMs })
  return closingOnThrow(database, () => {
    if (!isLog(database, directory)) {
      requireEmpty(database, directory)
      database.exec(`begin exclusive; ${tables} commit`)
    }
    const mode = database.prepare("pragma journal_mode = wal").get()
    if (mode?.journal_mode !== "wal") {
      refuse({
        _tag: "Unusable",
        message: `${directory} lies on a file system without shared memory (a network share?). Name a local directory.`
      })
    }
    database.exec(
      "pragma synchronous = full; pragma journal_size_limit = 67108864; pragma cache_size = -16384"
    )
  })
}

/** Opens the log for reading; nothing when there is none in the directory yet. Throws. */
export const openReader = (directory: string): DatabaseSync | undefined => {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    refuse({
      _tag: "Unusable",
      message: `There is no directory ${directory}. Name the one that holds the log.`
    })
  }
  if (!existsSync(databasePath(directory))) return undefined
  const database = new DatabaseSync(databasePath(directory), { readOnly: true, timeout: busyTimeoutMs })
  let found = false
  closingOnThrow(database, () => {
    found = isLog(database, directory)
  })
  if (found) return database
  database.close()
  return undefined
}

/** Only a foreign process that writes into our file can make us wait at all. */
const busyTimeoutMs = 1000

const isLog = (database: DatabaseSync, directory: string): boolean => {
  const version = pragma(database, "user_version")
  const id = pragma(database, "application_id")
  if (id === 0 && version === 0) return false
  if (id !== applicationId) {
    return refuse({
      _tag: "Unusable",
      message: `${databasePath(directory)} is a database of another program. Name another directory.`
    })
  }
  if (version > formatVersion) {
    return refuse({
      _tag: "Unusable",
      message: `The log in ${directory} has format ${version}, this release knows up to ${formatVersion}. Install a newer Millrace.`
    })
  }
  return true
}

const requireEmpty = (database: DatabaseSync, directory: string): void => {
  if (database.prepare("select 1 from sqlite_schema limit 1").get() !== undefined) {
    refuse({
      _tag: "Unusable",
      message: `${databasePath(directory)} is a database of another program. Name another directory.`
    })
  }
}

const pragma = (database: DatabaseSync, name: "user_version" | "application_id"): number =>
  Number(database.prepare(`pragma ${name}`).get()?.[name])

const closingOnThrow = (database: DatabaseSync, run: () => void): DatabaseSync => {
  try {
    run()
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

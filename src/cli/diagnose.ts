/**
 * What a run will need, looked at one by one. Nothing is changed: a data directory is not even made.
 *
 * @module
 */
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Clock, Effect } from "effect"
import { builtinDrivers } from "../drivers/builtin.ts"
import { isoTime } from "./isoTime.ts"
import { hasLog } from "./openLog.ts"
import { ownerLine, ownerOf } from "./owner.ts"
import { duration, shown } from "./terminal.ts"

export interface Diagnosis {
  readonly name: string
  readonly status: "ok" | "warning" | "error"
  readonly message: string
  readonly suggestion?: string
}

/** Bytes under which a log may soon be full, and under which it is not opened at all. */
const scarce = 1024 ** 3
const tooLittle = 16 * 1024 ** 2

/** No clock that is right shows an earlier time: the year this program was made in. */
const earliest = Date.UTC(2026, 0, 1)

/** What a driver can do only with a library that is not installed with Millrace. */
const optional = [{ what: "Parquet files", packages: ["hyparquet", "hyparquet-compressors"] }] as const

export const diagnose = Effect.fnUntraced(function* (directory: string) {
  const owner = yield* ownerOf(directory)
  const now = yield* Clock.currentTimeMillis
  const lock: Diagnosis =
    owner === null
      ? { name: "lock", status: "ok", message: "nobody writes to the log" }
      : {
          name: "lock",
          status: "warning",
          message: `in use by ${ownerLine(owner)}`,
          suggestion: "a run here has to wait for it"
        }
  return [
    {
      name: "node",
      status: "ok",
      message: `${process.versions.node} on ${process.platform} ${process.arch}`
    },
    sqlite(),
    folder(directory),
    lock,
    disk(directory),
    clock(directory, now),
    { name: "drivers", status: "ok", message: builtinDrivers.map(({ name }) => name).join(", ") },
    ...optional.map(({ packages, what }) => library(what, packages))
  ] satisfies ReadonlyArray<Diagnosis>
})

const sqlite = (): Diagnosis => {
  try {
    const database = new DatabaseSync(":memory:")
    const version = database.prepare("select sqlite_version() as version").get()?.version
    database.close()
    return { name: "sqlite", status: "ok", message: String(version) }
  } catch (error) {
    return {
      name: "sqlite",
      status: "error",
      message: String(error),
      suggestion: "install Node 24 from https://nodejs.org"
    }
  }
}

/** The folder itself, or the nearest one above it that is there. */
const existing = (directory: string): string => {
  let path = resolve(directory)
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path)
  return path
}

const folder = (directory: string): Diagnosis => {
  const name = "data directory"
  const path = existing(directory)
  const suggestion = "check its permissions, or name another folder with --data-dir"
  if (!statSync(path).isDirectory())
    return { name, status: "error", message: `${shown(path)} is not a folder`, suggestion }
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return { name, status: "error", message: `${shown(path)} may not be written by this user`, suggestion }
  }
  const where = shown(resolve(directory))
  return {
    name,
    status: "ok",
    message: hasLog(directory)
      ? `${where} has a log`
      : path === resolve(directory)
        ? `${where} has no log yet`
        : `${where} will be made by the first run`
  }
}

const disk = (directory: string): Diagnosis => {
  const name = "free disk"
  const { bavail, bsize } = statfsSync(existing(directory))
  const free = bavail * bsize
  const message = `${(free / 1024 ** 3).toFixed(1)} GiB`
  if (free >= scarce) return { name, status: "ok", message }
  const suggestion = "free some space: a run stops when the log or its outputs have no room"
  return { name, status: free < tooLittle ? "error" : "warning", message, suggestion }
}

const clock = (directory: string, now: number): Diagnosis => {
  const name = "clock"
  const last = lastEventAt(directory)
  const suggestion = "set the clock; the times of events and schedules come from it"
  if (now < earliest) return { name, status: "error", message: `it shows ${isoTime(now)}`, suggestion }
  if (last > now) {
    const message = `it is ${duration(last - now)} behind the newest event of the log`
    return { name, status: "warning", message, suggestion }
  }
  return { name, status: "ok", message: isoTime(now) }
}

/** The newest time in the log; 0 where there is none or it cannot be read, which others will tell. */
const lastEventAt = (directory: string): number => {
  if (!hasLog(directory)) return 0
  try {
    const database = new DatabaseSync(join(directory, "millrace.db"), { readOnly: true })
    const row = database.prepare("select at from events order by position desc limit 1").get()
    database.close()
    return Number(row?.at ?? 0)
  } catch {
    return 0
  }
}

const library = (what: string, packages: ReadonlyArray<string>): Diagnosis => {
  const missing = packages.filter((name) => !isInstalled(name))
  return missing.length === 0
    ? { name: what, status: "ok", message: `${packages.join(" and ")} installed` }
    : {
        name: what,
        status: "warning",
        message: `${missing.join(" and ")} not installed`,
        suggestion: `npm install ${missing.join(" ")}`
      }
}

const isInstalled = (name: string): boolean => {
  try {
    import.meta.resolve(name)
    return true
  } catch {
    return false
  }
}

/**
 * Who works on the log of a data directory at this moment. The log alone cannot tell: a killed process
 * leaves a run that says Running.
 *
 * @module
 */
import { existsSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Effect, Option } from "effect"
import { isActive, type Lifecycle } from "../../projections/transitions.ts"
import { type Holder, readHolder } from "../log/Sqlite.ts"

/** The process that holds the data directory, `null` when nobody does. */
export const ownerOf = Effect.fnUntraced(function* (directory: string): Effect.fn.Return<Holder | null> {
  const holder = Option.getOrNull(yield* readHolder(directory))
  if (holder === null) return null
  // A killed process leaves its note. Another machine's processes cannot be asked, but the lock can.
  if (holder.host === hostname() && !isAlive(holder.pid)) return null
  return isLocked(join(directory, "lock.db")) ? holder : null
})

/** Nobody is working on a run that says somebody is. */
export const isLeftBehind = (lifecycle: Lifecycle, owner: Holder | null): boolean =>
  owner === null && isActive(lifecycle)

/** One line for a person. */
export const ownerLine = ({ address, host, pid, since }: Holder): string =>
  `process ${pid} on ${host} since ${since}${address === null ? "" : `, listening at ${address}`}`

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

const sqliteBusy = 5

/** The holder has the file exclusively, so even reading it is refused; reading takes nothing away from it. */
const isLocked = (path: string): boolean => {
  if (!existsSync(path)) return false
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(path, { readOnly: true, timeout: 0 })
    lock.prepare("select 1 from sqlite_schema").get()
    return false
  } catch (error) {
    return (error as { readonly errcode?: number }).errcode === sqliteBusy
  } finally {
    lock?.close()
  }
}

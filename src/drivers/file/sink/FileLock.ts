/**
 * An exclusive lock beside a file, freed by the kernel when its holder dies, SIGKILL included.
 *
 * Node has no flock; an exclusive SQLite transaction on a file of its own is one. The lock file stays
 * when the lock is released: removing it would let two holders lock two different files of one name.
 *
 * @module
 */
import { basename, dirname, join } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import { Effect, type Scope } from "effect"
import type { DriverError } from "../../DriverError.ts"
import { letGo } from "../../letGo.ts"
import { fail, fileError } from "../fileError.ts"

/** Held until the scope closes. Fails at once, with `output_locked`, when somebody else holds it. */
export const lockFile = (target: string): Effect.Effect<void, DriverError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: () => acquire(join(dirname(target), `.${basename(target)}.lock.db`)),
      catch: (cause) => (isBusy(cause) ? locked(target) : fileError("open", target, "write", cause))
    }),
    (database) => letGo(`the lock of ${target}`, () => database.close())
  ).pipe(Effect.asVoid)

const acquire = async (path: string): Promise<DatabaseSync> => {
  const { DatabaseSync } = await import("node:sqlite")
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec("begin exclusive")
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

const sqliteBusy = 5
const isBusy = (cause: unknown): boolean =>
  (cause as { errcode?: number } | undefined)?.errcode === sqliteBusy

const locked = (target: string): DriverError =>
  fail("open", {
    _tag: "Unavailable",
    code: "output_locked",
    message: `${target} is being appended to by another run`,
    suggestion: "wait for it to end, or give this pipeline a file of its own"
  })

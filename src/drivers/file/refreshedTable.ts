/**
 * A table read from a file that follows its file: looked at again every so often, read anew when it changed.
 *
 * @module
 */
import { stat } from "node:fs/promises"
import { Clock, Effect } from "effect"
import type { DriverError } from "../DriverError.ts"
import type { LookupTable } from "../Lookup.ts"
import { fileError } from "./fileError.ts"

/**
 * `everyMs` lies at least between two looks, in the engine's time. A file that cannot be read just then, or
 * is no table, leaves the table as it was, with a warning: somebody may be in the middle of writing it.
 */
export const refreshedTable = Effect.fnUntraced(function* (
  path: string,
  everyMs: number,
  load: Effect.Effect<LookupTable, DriverError>
): Effect.fn.Return<LookupTable, DriverError> {
  // Taken before the file is read: what changes meanwhile is seen at the next look.
  let mark = yield* markOf(path)
  let table = yield* load
  let lookedAt = yield* Clock.currentTimeMillis
  const look = Effect.gen(function* () {
    const now = yield* markOf(path)
    if (now === mark) return
    table = yield* load
    mark = now
  }).pipe(
    Effect.catch((error) =>
      Effect.logWarning(`${path} could not be read again, its rows stay as they were: ${error.message}`)
    )
  )
  const refreshed = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (now - lookedAt >= everyMs) {
      lookedAt = now
      yield* look
    }
    return table
  })
  return { get: (values) => table.get(values), size: table.size, refreshed }
})

/** Changes with every way a file can be written or replaced, as far as its file system tells. */
const markOf = (path: string): Effect.Effect<string, DriverError> =>
  Effect.tryPromise({
    try: async () => {
      const { ctimeNs, ino, mtimeNs, size } = await stat(path, { bigint: true })
      return [ino, size, mtimeNs, ctimeNs].join(" ")
    },
    catch: (cause) => fileError("open", path, "read", cause)
  })

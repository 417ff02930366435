/**
 * The last look before a file is touched.
 *
 * @module
 */
import { type Confines, refusePath } from "../Confines.ts"
import { fail } from "./fileError.ts"
import { realPath } from "./formats.ts"

/** Throws a DriverError where the file behind the path is outside of the confines, if there are any. */
export const requireAllowed = (path: string, confines: Confines | undefined): void => {
  const refused = confines === undefined ? undefined : refusePath(realPath(path), confines)
  if (refused !== undefined) throw fail("open", { _tag: "Unauthorized", ...refused })
}

/**
 * The alternatives of a pattern in braces may lead anywhere, which its folder does not show: out of the confines
 * they are not even to be looked for.
 */
export const requireTame = (pattern: string, confines: Confines | undefined): void => {
  if (confines === undefined || !pattern.includes("{") || !leadsOut.test(pattern)) return
  throw fail("open", {
    _tag: "Unauthorized",
    code: "path_not_allowed",
    message: `${pattern} may lead out of the folders this service may touch`,
    suggestion: "write it without .. and without absolute paths in braces"
  })
}

const leadsOut = /(?:^|[/{,])\.\.(?:[/},]|$)|[{,]\//

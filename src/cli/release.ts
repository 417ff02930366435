/**
 * Which release this is.
 *
 * @module
 */
import { readFileSync } from "node:fs"
import module from "node:module"

/** As the package says. */
export const release = (): string => {
  const path = module.findPackageJSON(import.meta.url)
  const { version } = JSON.parse(path === undefined ? "{}" : readFileSync(path, "utf8"))
  return typeof version === "string" ? version : "0.0.0"
}

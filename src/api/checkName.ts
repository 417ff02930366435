/**
 * Whether a text can be the name of a pipeline.
 *
 * @module
 */
import { type Failure, failed } from "./failures.ts"
import { nameMost } from "./PipelineResource.ts"

/** What is wrong with the name, `undefined` when nothing is. */
export const checkName = (
  name: string
): Failure<"EmptyName" | "TooLongName" | "NameDoesNotMatchPattern"> | undefined => {
  const details = { name: name.slice(0, nameMost), path: "/name" }
  if (name === "") return failed("EmptyName", "A pipeline's name cannot be empty", details)
  if (name.length > nameMost) {
    const message = `A pipeline's name has at most ${nameMost} characters, this one has ${name.length}`
    return failed("TooLongName", message, details)
  }
  if (/^[a-zA-Z0-9_-]+$/.test(name)) return undefined
  const message = `Name '${name}' contains characters which are not lowercase (a-z), uppercase (A-Z), numbers (0-9), underscores (_) or hyphens (-)`
  const suggestion = name.replaceAll(/[^a-zA-Z0-9_-]+/g, "-").replaceAll(/^-+|-+$/g, "")
  return failed("NameDoesNotMatchPattern", message, suggestion === "" ? details : { ...details, suggestion })
}

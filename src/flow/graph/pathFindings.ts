/**
 * What is wrong with a path into the payload of a record.
 *
 * @module
 */
import { type Finding, finding } from "../../../events/Finding.ts"
import { nearest } from "../../../events/nearest.ts"
import type { Field, Fields } from "../contract/Contract.ts"
import { isForbiddenKey } from "../expression/celEnvironment.ts"

type Path = ReadonlyArray<string | number>

/** The mistakes of `path`, which stands at `at`; what `fields` does not list is unknown, where it is known at all. */
export const pathFindings = (at: Path, path: string, fields: Fields | undefined): ReadonlyArray<Finding> => {
  const parts = path.split(".")
  const [first = "", ...rest] = parts
  const refused = parts.find(isForbiddenKey)
  if (refused !== undefined) {
    return [finding("forbidden_key", at, `${refused} is refused as the name of a field`)]
  }
  if (parts.includes("")) {
    return [finding("bad_value", at, `${path} is no path: names are joined by single dots`)]
  }
  if (fields === undefined) return []
  const field = fields.get(first)
  if (field === undefined) {
    const near = nearest(first, fields.keys())
    const known = `Its fields are ${[...fields.keys()].join(", ")}`
    // A path begins in the record, where an expression has to say so.
    const inner = first === "record" && rest[0] !== undefined && fields.has(rest[0])
    const suggestion = inner ? rest.join(".") : near === undefined ? known : [near, ...rest].join(".")
    return [finding("unknown_field", at, `The record has no field ${first} here`, suggestion)]
  }
  return rest.length === 0 || mayHaveFields(field)
    ? []
    : [finding("contract_mismatch", at, `${first} is of type ${field.type} here and has no field ${rest[0]}`)]
}

/** What the contract says of the value at the end of a path; `undefined` when nothing. */
export const fieldAt = (path: string, fields: Fields | undefined): Field | undefined =>
  path.includes(".") ? undefined : fields?.get(path)

const mayHaveFields = ({ type }: Field): boolean => type === "object" || type === "any"

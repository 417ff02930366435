/**
 * A stage that makes many records of one: one for each element of a list.
 *
 * @module
 */
import type { Explode } from "../../../events/Definition.ts"
import { dropped, RecordFailure, type Split } from "../route/Route.ts"
import { asObject } from "./asObject.ts"
import type { StageWork } from "./compileWork.ts"

type Fields = Readonly<Record<string, unknown>>

/** A list that is too long is refused by its length: nothing has been made of it by then. */
export const compileExplode = (name: string, explode: Explode): StageWork => {
  const { field, into, limit, onEmpty } = explode
  const path = field.split(".")
  const rest = path.slice(0, -1)
  const last = path.at(-1)!
  const split: Split = (payload) => {
    const record = asObject(payload, name)
    const list = at(record, path)
    if (list !== undefined && list !== null && !Array.isArray(list)) {
      throw new RecordFailure("not_a_list", `${field} is no list`)
    }
    if (list === undefined || list === null || list.length === 0) {
      if (onEmpty === "drop") return dropped
      if (onEmpty === "dead_letter") throw new RecordFailure("empty_list", `${field} has no elements`)
      return [into === undefined ? record : { ...without(record, rest, last), [into]: null }]
    }
    if (list.length > limit) throw tooMany(`${field} has ${list.length} elements`, limit)
    if (into === undefined) return list
    const kept = without(record, rest, last)
    return list.map((element) => ({ ...kept, [into]: element }))
  }
  return { split, splitsInto: limit }
}

/** Why a record is not split: it would become more records than a stage may make of one. */
export const tooMany = (what: string, limit: number): RecordFailure =>
  new RecordFailure("too_many_items", `${what}, and ${limit} are the most a record may become`)

/** What stands at a path of own fields; `undefined` where the path ends early. */
const at = (record: Fields, path: ReadonlyArray<string>): unknown => {
  let value: unknown = record
  for (const key of path) {
    if (!isRecord(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}

/** The record without the field at the end of a path; everything beside the path is shared with it. */
const without = (record: Fields, path: ReadonlyArray<string>, last: string): Fields => {
  const copy: Record<string, unknown> = { ...record }
  let inner = copy
  for (const key of path) {
    const next = Object.hasOwn(inner, key) ? inner[key] : undefined
    if (!isRecord(next)) return copy
    inner = inner[key] = { ...next }
  }
  delete inner[last]
  return copy
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

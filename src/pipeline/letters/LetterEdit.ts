/**
 * An edit as the log keeps it: the payload that enters, and how it differs from what was read. Pure.
 *
 * @module
 */
import type { Schema } from "effect"
import type { Letter, Raw } from "../../../events/PipelineEvent.ts"
import { changesMost, type LetterEdit } from "../../../events/Redrive.ts"
import { differences } from "../../../projections/StateDiff.ts"

/** The letter's bytes stay where they are: what they hold is named only as far as it is JSON and few differences. */
export const editOf = ({ id, raw }: Letter, payload: unknown): LetterEdit => {
  const json = (payload ?? null) as Schema.Json
  const before = jsonOf(raw)
  const changes = before === undefined ? [] : differences(before, json)
  return { letter: id, payload: json, changes: changes.length > changesMost ? [] : changes }
}

const jsonOf = ({ data, encoding }: Raw): Schema.Json | undefined => {
  if (encoding !== "utf8") return undefined
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

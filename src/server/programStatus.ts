/**
 * What became of a program, in the shape clients of the resource expect a compiler to speak in.
 *
 * @module
 */
import { Result } from "effect"
import { type Definition, decodeDefinition } from "../../events/Definition.ts"
import type { Finding } from "../../events/Finding.ts"
import type { Listed } from "../../projections/Roster.ts"
import type { CompilerMessage, FindingJson, ProgramInfo, ProgramStatus } from "../api/Program.ts"
import type { Fields } from "../flow/contract/Contract.ts"
import { stageFields } from "../flow/graph/fields.ts"

/** `text` is the program, for the lines that messages are about; without it they quote none. */
export const programStatus = ({ program, unreadable }: Listed, text?: string): ProgramStatus => {
  if (unreadable !== null) return { SystemError: unreadable }
  if (program.value === "Missing") return "Pending"
  if (program.value === "Valid") return "Success"
  const lines = text?.split("\n")
  return { SqlError: program.findings.map((each) => compilerMessage(each, lines)) }
}

/** Every member is there, `null` where there is nothing to say. */
export const findingJson = (found: Finding): FindingJson => ({
  severity: found.severity,
  code: found.code,
  pointer: found.pointer,
  line: found.line ?? null,
  column: found.column ?? null,
  message: found.message,
  suggestion: found.suggestion ?? null
})

/** A definition does not change, and is asked for again and again. */
const known = new WeakMap<object, ProgramInfo>()

/** What goes in and what comes out of a valid program, in its wire form; `null` while it is not. */
export const programInfo = (wire: unknown): ProgramInfo | null => {
  if (typeof wire !== "object" || wire === null) return null
  const info = known.get(wire) ?? infoOf(wire)
  if (info !== null) known.set(wire, info)
  return info
}

const infoOf = (wire: object): ProgramInfo | null => {
  const definition = decodeDefinition(wire)
  if (Result.isFailure(definition)) return null
  const fields = stageFields(definition.success)
  const inputs = ends(definition.success, "source")
  const outputs = ends(definition.success, "sink")
  return {
    schema: {
      inputs: inputs.map(([name]) => relation(name, fields.get(name)?.output)),
      outputs: outputs.map(([name]) => relation(name, fields.get(name)?.input))
    },
    input_connectors: Object.fromEntries(inputs),
    output_connectors: Object.fromEntries(outputs),
    udf_stubs: ""
  }
}

const ends = ({ stages }: Definition, kind: "source" | "sink") =>
  Object.entries(stages).flatMap(([name, stage]) => {
    const end = stage[kind]
    return end === undefined ? [] : [[name, end] as const]
  })

const relation = (name: string, fields: Fields | undefined) => ({
  name,
  case_sensitive: true,
  fields: [...(fields ?? [])].map(([field, { optional, type }]) => ({
    name: field,
    case_sensitive: true,
    columntype: { type, nullable: optional }
  })),
  materialized: false,
  properties: {}
})

const compilerMessage = (found: Finding, lines: ReadonlyArray<string> | undefined): CompilerMessage => {
  const line = found.line ?? 1
  const column = found.column ?? 1
  return {
    start_line_number: line,
    start_column: column,
    end_line_number: line,
    end_column: column,
    warning: found.severity === "warning",
    error_type: found.code,
    message: found.suggestion === undefined ? found.message : `${found.message} (${found.suggestion})`,
    snippet: lines?.[line - 1]?.slice(0, snippetMost) ?? null
  }
}

/** Characters of a line that are quoted. */
const snippetMost = 200

/**
 * Which fields the records of a stage have, as far as contracts and maps tell.
 *
 * @module
 */
import { Result } from "effect"
import {
  type Aggregate,
  type Contract,
  type Definition,
  type Explode,
  isMapEdit,
  type Lookup,
  type MapStage,
  type Stage,
  type Validate
} from "../../../events/Definition.ts"
import { compileContract, type Field, type Fields } from "../contract/Contract.ts"
import { order } from "./order.ts"

/** `undefined` means that nothing is known, not that there are none. */
export interface StageFields {
  /** What arrives from all edges together; a field is known when one of them brings it. */
  readonly input: Fields | undefined
  /** What the stage makes of it, its own contract left aside. */
  readonly made: Fields | undefined
  /** What goes on to the next stages: the contract where there is one, else `made`. */
  readonly output: Fields | undefined
}

const any: Field = { type: "any", optional: false }

/** The fields around every stage. */
export const stageFields = (definition: Definition): ReadonlyMap<string, StageFields> => {
  const known = new Map<string, StageFields>()
  for (const name of order(definition)) {
    const stage = definition.stages[name]!
    const input = union((stage.from ?? []).map((edge) => known.get(edge.stage)?.output))
    const made = madeBy(stage, input)
    known.set(name, { input, made, output: declared(stage) ?? made })
  }
  return known
}

const declared = ({ output }: Stage): Fields | undefined =>
  output === undefined ? undefined : promised(output)

const promised = (contract: Contract): Fields | undefined => {
  const compiled = compileContract(contract)
  return Result.isSuccess(compiled) ? compiled.success.fields : undefined
}

const union = (inputs: ReadonlyArray<Fields | undefined>): Fields | undefined => {
  const all = new Map<string, Field>()
  for (const fields of inputs) {
    if (fields === undefined) return undefined
    for (const [name, field] of fields) {
      const other = all.get(name)
      const same = other === undefined || other.type === field.type
      all.set(name, {
        type: same ? field.type : "any",
        optional: field.optional || (other?.optional ?? false)
      })
    }
  }
  if (inputs.length === 0) return undefined
  for (const [name, field] of all) {
    if (inputs.some((fields) => !fields!.has(name))) all.set(name, { ...field, optional: true })
  }
  return all
}

const madeBy = (stage: Stage, input: Fields | undefined): Fields | undefined => {
  // What a service answers is its own affair.
  if (stage.source !== undefined || stage.service !== undefined) return undefined
  if (stage.function !== undefined && stage.function.does !== "filter") return undefined
  if (stage.map !== undefined) return mapped(stage.map, input)
  if (stage.lookup !== undefined) return enriched(stage.lookup, input)
  if (stage.explode !== undefined) return exploded(stage.explode, input)
  if (stage.validate !== undefined) return validated(stage.validate, input)
  if (stage.aggregate !== undefined) return aggregated(stage.aggregate)
  return input
}

const mapped = (map: MapStage, input: Fields | undefined): Fields | undefined => {
  if (!isMapEdit(map)) return new Map(Object.keys(map).map((name) => [name, any]))
  if (input === undefined) return undefined
  const fields = new Map(input)
  for (const name of map.drop ?? []) fields.delete(name)
  for (const name of Object.keys(map.set ?? {})) fields.set(name, any)
  return fields
}

const enriched = (lookup: Lookup, input: Fields | undefined): Fields | undefined => {
  if (input === undefined) return undefined
  const found: Field = { type: "any", optional: lookup.on_miss === "pass_through" }
  if (lookup.into !== undefined) return new Map([...input, [lookup.into, found]])
  if (lookup.take === undefined) return undefined
  return new Map([...input, ...lookup.take.map((column) => [column, found] as const)])
}

/** An element by itself has fields that nobody knows; with `into` it stands where the list was. */
const exploded = ({ field, into }: Explode, input: Fields | undefined): Fields | undefined => {
  if (into === undefined || input === undefined) return undefined
  const fields = new Map(input)
  fields.delete(field)
  return fields.set(into, any)
}

/** What got through has the fields of the contract, beside those it does not speak of. */
const validated = ({ contract }: Validate, input: Fields | undefined): Fields | undefined => {
  const fields = promised(contract)
  return fields === undefined || input === undefined ? (fields ?? input) : new Map([...input, ...fields])
}
const measured = { count: "integer", sum: "number", avg: "number", collect: "array" } as const

const aggregated = ({ by, make }: Aggregate): Fields =>
  new Map([
    ...Object.keys(by).map((field) => [field, any] as const),
    ["window_start", { type: "string", optional: false }],
    ["window_end", { type: "string", optional: false }],
    ...Object.entries(make).map(([field, measure]) => {
      const [kind] = Object.keys(typeof measure === "string" ? { [measure]: true } : measure)
      const type = Object.entries(measured).find(([name]) => name === kind)?.[1] ?? "any"
      return [field, { type, optional: false }] as const
    })
  ])

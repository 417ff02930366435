/**
 * Where a record goes next, without anything that runs: for tests, drawings and answers to "what if".
 *
 * @module
 */
import { Result } from "effect"
import type { Definition } from "../../../events/Definition.ts"
import { compilePredicate, type Predicate } from "../condition/compilePredicate.ts"
import { edgesFrom } from "./edgesFrom.ts"

/** A record as it leaves a stage; `eventTime` is in milliseconds since 1970. */
export interface Leaving {
  readonly payload: unknown
  readonly key?: string
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly eventTime?: number
}

/** `unrouted`: no edge takes the record, and `on_unrouted` says what becomes of it. */
export interface Way {
  readonly to: ReadonlyArray<string>
  readonly unrouted: boolean
}

/**
 * The stages a record goes to when it leaves this one: along every edge whose condition holds, as the engine
 * asks it, so a missing value and a condition that cannot be read are no. Nowhere out of a sink, and out of a
 * stage that does not exist. Never throws.
 */
export const route = (definition: Definition, stage: string, record: Leaving): Way => {
  const known = Object.hasOwn(definition.stages, stage) ? definition.stages[stage] : undefined
  if (known === undefined || known.sink !== undefined) return { to: [], unrouted: false }
  const { eventTime, key, metadata, payload } = record
  const to = compiledEdges(definition, stage).flatMap(({ holds, to }) =>
    // Each condition has a scope of its own, as little as it could do to it.
    answer(holds, {
      record: payload,
      metadata: metadata ?? {},
      key: key ?? null,
      event_time: eventTime ?? null
    })
      ? [to]
      : []
  )
  return { to, unrouted: to.length === 0 }
}

interface CompiledEdge {
  readonly to: string
  readonly holds: Predicate
}

const always: Predicate = () => true
const never: Predicate = () => false

/** A definition never changes, so its conditions are compiled once. */
const compiled = new WeakMap<Definition, Map<string, ReadonlyArray<CompiledEdge>>>()

const compiledEdges = (definition: Definition, stage: string): ReadonlyArray<CompiledEdge> => {
  const stages = compiled.get(definition) ?? new Map<string, ReadonlyArray<CompiledEdge>>()
  compiled.set(definition, stages)
  const known = stages.get(stage)
  if (known !== undefined) return known
  const edges = edgesFrom(definition, stage).map(
    ({ to, when }): CompiledEdge => ({
      to,
      holds: when === undefined ? always : Result.getOrElse(compilePredicate(when), () => never)
    })
  )
  stages.set(stage, edges)
  return edges
}

/** A value that cannot even be looked at is no answer, and no answer is no. */
const answer = (holds: Predicate, scope: Parameters<Predicate>[0]): boolean => {
  try {
    return holds(scope)
  } catch {
    return false
  }
}

/**
 * A condition of a definition, compiled where it stands.
 *
 * @module
 */
import { Effect } from "effect"
import type { Condition } from "../../events/Definition.ts"
import { finding } from "../../events/Finding.ts"
import { compilePredicate, type Predicate } from "./condition/compilePredicate.ts"
import { broken, type PlanError } from "./PlanError.ts"

/** `at` is the path of the condition in the definition. */
export const compileConditionAt = (
  condition: Condition,
  at: ReadonlyArray<string>
): Effect.Effect<Predicate, PlanError> =>
  Effect.mapError(Effect.fromResult(compilePredicate(condition)), ({ message, path }) =>
    broken(finding("bad_expression", [...at, ...path], message))
  )

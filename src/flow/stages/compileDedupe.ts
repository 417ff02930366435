/**
 * A stage that lets each record through once, by its key.
 *
 * @module
 */
import { hash } from "node:crypto"
import { Effect, Result } from "effect"
import type { Dedupe } from "../../../events/Definition.ts"
import { finding } from "../../../events/Finding.ts"
import { entries } from "../../../projections/RememberedKeys.ts"
import { canonical } from "../contract/Contract.ts"
import { compileValue, type Scope } from "../expression/Expression.ts"
import { KeysSeen } from "../memory/KeysSeen.ts"
import type { StageWithMemory } from "../memory/StageWithMemory.ts"
import { broken, type PlanError } from "../PlanError.ts"
import { dropped, RecordFailure, type Step } from "../route/Route.ts"
import type { StageWork } from "./compileWork.ts"

export const compileDedupe = (name: string, dedupe: Dedupe): Effect.Effect<StageWork, PlanError> =>
  Effect.suspend(() => {
    const key = compileValue(dedupe.key)
    if (Result.isFailure(key)) {
      return Effect.fail(
        broken(finding("bad_expression", ["stages", name, "dedupe", "key"], key.failure.message))
      )
    }
    const { within } = dedupe
    const seen = new KeysSeen(dedupe.remember)
    let atWork = false
    const step: Step = (payload, scope) => {
      scope.record = payload
      const found = keyOf(key.success, scope)
      const at = within === undefined ? 0 : timeOf(name, scope)
      // A record that comes outside of any batch was told apart in its own.
      if (!atWork) return payload
      const before = seen.timeOf(found)
      if (before !== undefined && (within === undefined || Math.abs(at - before) <= within)) return dropped
      seen.add(found, at)
      return payload
    }
    return Effect.succeed({
      step,
      memory: memoryOf(name, seen, within !== undefined, (now) => (atWork = now))
    })
  })

const memoryOf = (
  name: string,
  seen: KeysSeen,
  times: boolean,
  work: (now: boolean) => void
): StageWithMemory => ({
  name,
  restore: (memory) => {
    if (memory === undefined || !("keys" in memory)) return
    const all = [...entries(memory.keys)]
    seen.keep({ keys: all.map(([key]) => key), times: all.map(([, time]) => time ?? 0), forget: 0 })
  },
  begin: () => {
    seen.begin()
    work(true)
  },
  learned: () => seen.learned(times),
  made: () => [],
  keep: (delta) => {
    if ("keys" in delta) seen.keep(delta)
  },
  rest: () => work(false)
})

/** Longer texts are known by their hash: of 132 bits, so no two records are ever taken for one. */
const textMost = 40

const keyOf = (value: (scope: Scope) => unknown, scope: Scope): string => {
  try {
    const key = value(scope)
    const text = typeof key === "object" ? canonical(key) : JSON.stringify(key)
    return text.length > textMost ? `#${hash("sha256", text, "base64url").slice(0, 22)}` : text
  } catch (error) {
    throw new RecordFailure("expression_failed", `key: ${error instanceof Error ? error.message : error}`)
  }
}

const timeOf = (name: string, { event_time }: Scope): number => {
  if (event_time !== null) return event_time
  throw new RecordFailure(
    "no_event_time",
    `${name} tells records apart by their event time, and this one has none`
  )
}

/**
 * The name of what a pipeline does: equal for definitions that do the same, on every machine and for every release.
 *
 * @module
 */
import { createHash } from "node:crypto"
import { Result } from "effect"
import { type Definition, decodeDefinition, encodeDefinition } from "../../../events/Definition.ts"
import { canonical } from "./Contract.ts"

/**
 * SHA-256 (hex) of the canonical wire form without its description: equal for pipelines that do the same.
 * A setting at its default counts as left out, so that a release that brings a new one changes no signature.
 */
export const signature = (definition: Definition): string => {
  const { description: _, name, stages, ...settings } = encodeDefinition(definition) as WireObject
  const { description: __, name: ___, stages: ____, ...defaults } = defaultSettings
  const wire = { name, stages, ...without(settings, defaults) }
  return createHash("sha256").update(canonical(wire)).digest("hex")
}

type WireObject = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is WireObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const defaultSettings = encodeDefinition(
  Result.getOrThrow(decodeDefinition({ name: "defaults", stages: {} }))
) as WireObject

/** What differs from the defaults. */
const without = (settings: WireObject, defaults: WireObject): WireObject => {
  const rest: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(settings)) {
    const fallback = defaults[key]
    if (isObject(value) && isObject(fallback)) {
      const inner = without(value, fallback)
      if (Object.keys(inner).length > 0) rest[key] = inner
    } else if (canonical(value) !== canonical(fallback)) rest[key] = value
  }
  return rest
}

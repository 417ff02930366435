/**
 * An end of the memory driver for tests that do not care what a record looks like.
 *
 * @module
 */
import { Schema } from "effect"
import { End } from "../../src/index.ts"

export const memoryEnd = (name: string) =>
  End.make({ use: "memory", name }, Schema.Struct({ id: Schema.Int }))

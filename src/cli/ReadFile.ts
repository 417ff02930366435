/**
 * A pipeline as a command was given it.
 *
 * @module
 */
import type { Definition } from "../../events/Definition.ts"
import type { Finding } from "../../events/Finding.ts"
import type { Functions } from "../flow/Functions.ts"

export interface ReadFile {
  /** As it was named. */
  readonly path: string
  /** The folder its own paths resolve against. */
  readonly base: string
  readonly text: string
  /** Absent when there are errors among the findings. */
  readonly definition: Definition | undefined
  /** Those of a program's stages; a file has none. */
  readonly functions: Functions
  readonly findings: ReadonlyArray<Finding>
}

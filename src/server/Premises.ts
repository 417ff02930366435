/**
 * Where the service stands: the folder that paths of programs sent to it resolve against, and its release.
 *
 * @module
 */
import { Context } from "effect"

export class Premises extends Context.Service<
  Premises,
  {
    /** Absolute. */
    readonly base: string
    readonly version: string
  }
>()("millrace/server/Premises") {}

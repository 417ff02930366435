/**
 * The contract between the engine and the systems it reads from and writes to.
 *
 * A driver offers a source, a sink, a lookup, or several of them. Each has a config schema (what may
 * stand beside `use:`) and a way to open it. Nothing here runs: the engine opens, reads, writes and
 * closes, and the scope it opens a thing in is the thing's life.
 *
 * @module
 */
import type { Effect, Schema, Scope } from "effect"
import type { Confines } from "./Confines.ts"
import type { DriverError } from "./DriverError.ts"
import type { Lookup } from "./Lookup.ts"
import type { Sink } from "./Sink.ts"
import type { Source } from "./Source.ts"

/** Who is asking: the pipeline, the stage, and the folder its relative paths resolve against. */
export interface DriverContext {
  readonly pipeline: { readonly id: string; readonly name: string }
  readonly stage: string
  readonly base: string
  /** The run has no end: a source that can grow is followed. */
  readonly follows?: boolean
  /** Where files may be; without it everywhere. */
  readonly confines?: Confines | undefined
}

/** Why something may not be used: a stable code, what is wrong, and a way out. */
export interface Refused {
  readonly code: string
  readonly message: string
  readonly suggestion: string
}

/** Guarantee of a sink, in the words `check` and the docs use. */
export type Guarantee = "effectively_once" | "effectively_once_if_repeatable" | "at_least_once"

export type DriverClass = "relational" | "columnar" | "stream" | "object_store" | "file" | "http" | "memory"

/** A kind of end a driver offers: its settings, what it touches, and how to make it. */
export interface Offer<Config, End> {
  /** What may stand beside `use:`. */
  readonly config: Schema.Codec<Config, unknown>
  /** The name of the thing behind the settings (an absolute path …), to find two ends on one thing. */
  readonly resource?: (config: Config, context: DriverContext) => string | undefined
  /** Whether the settings take in another thing of this kind besides: a glob of files does. */
  readonly covers?: (config: Config, context: DriverContext, resource: string) => boolean
  /** Why these settings may not be used here, `undefined` when they may; told when a pipeline is defined. */
  readonly refuses?: (config: Config, context: DriverContext) => Refused | undefined
  readonly make: (config: Config, context: DriverContext) => Effect.Effect<End, DriverError, Scope.Scope>
}

export interface Driver {
  readonly name: string
  readonly class: DriverClass
  readonly guarantee: Guarantee
  readonly source?: AnyOffer<Source>
  readonly sink?: AnyOffer<Sink>
  readonly lookup?: AnyOffer<Lookup>
}

// The registry holds offers of every config type; `Config` is contravariant in `make`, so it is erased here
// and nowhere else: the engine passes `make` only what `config` of the same offer decoded.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type AnyOffer<End> = Offer<any, End>

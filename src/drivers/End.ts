/**
 * A source or a sink as a program names it: a driver, its settings, and the type of its records.
 *
 * @module
 */
import type { Schema } from "effect"
import type { Use } from "../../events/Definition.ts"

/**
 * Records of type `A` in a system. `schema`, where there is one, is checked on every record that is read;
 * it describes JSON as it is, so it may not transform.
 */
export interface End<in out A> {
  readonly use: Use
  readonly schema: Schema.Codec<A, A> | undefined
}

/** An end of any driver, by the name it is registered with. */
export const make = <A = unknown>(use: Use, schema?: Schema.Codec<A, A>): End<A> => ({ use, schema })

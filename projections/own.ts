/**
 * Records keyed by names that people choose.
 *
 * @module
 */

/** What a record holds under a name of its own; a stage may be called `constructor` or `toString`. */
export const own = <A>(record: Readonly<Record<string, A>> | undefined, name: string): A | undefined =>
  record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined

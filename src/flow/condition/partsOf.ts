/**
 * The steps of a path into a payload.
 *
 * @module
 */

/** `a.b` is the field `b` of the object in `a`; an empty step is a mistake that the findings name. */
export const partsOf = (path: string): ReadonlyArray<string> => path.split(".")

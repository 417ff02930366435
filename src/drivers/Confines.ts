/**
 * Which files the ends of a pipeline may touch. Whoever runs a pipeline from a terminal has the rights of its
 * user; a service lends its rights to whoever may send it a program, so it says where they end.
 *
 * A path is looked at when a pipeline is defined, to tell its author, and again whenever it is opened, because
 * a link may point somewhere else by then.
 *
 * @module
 */
import { isAbsolute, relative, sep } from "node:path"
import type { AnyOffer, Driver, DriverContext, Refused } from "./Driver.ts"

/** Absolute folders, links followed. */
export interface Confines {
  /** Everything in these … */
  readonly roots: ReadonlyArray<string>
  /** … but not in these: the service's own. */
  readonly except: ReadonlyArray<string>
}

/** The same drivers, for files within the confines. */
export const confined = (drivers: ReadonlyArray<Driver>, confines: Confines): ReadonlyArray<Driver> =>
  drivers.map(({ lookup, sink, source, ...driver }) => ({
    ...driver,
    ...(source === undefined ? {} : { source: confinedOffer(source, confines) }),
    ...(sink === undefined ? {} : { sink: confinedOffer(sink, confines) }),
    ...(lookup === undefined ? {} : { lookup: confinedOffer(lookup, confines) })
  }))

/** Why this path, absolute and with its links followed, may not be touched; `undefined` when it may. */
export const refusePath = (path: string, { except, roots }: Confines): Refused | undefined =>
  roots.some((root) => isWithin(path, root)) && !except.some((folder) => isWithin(path, folder))
    ? undefined
    : {
        code: "path_not_allowed",
        message: `${path} is outside of the folders this service may touch`,
        suggestion: "name a file below the service's folder, or start it with --root <folder>"
      }

const confinedOffer = <End>(offer: AnyOffer<End>, confines: Confines): AnyOffer<End> => ({
  ...offer,
  refuses: (config: unknown, context: DriverContext) => {
    const resource = offer.resource?.(config, context)
    return resource !== undefined && isAbsolute(resource) ? refusePath(resource, confines) : undefined
  },
  make: (config: unknown, context: DriverContext) => offer.make(config, { ...context, confines })
})

const isWithin = (path: string, folder: string): boolean => {
  const way = relative(folder, path)
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

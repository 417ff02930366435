/**
 * HTTP: records that are pushed to the service, kept until they are through.
 *
 * @module
 */
import type { Driver } from "../Driver.ts"
import { httpSource } from "./HttpSource.ts"
import type { Spools } from "./spool/Spools.ts"

/** Reads from these spools; `Ingress` writes to them. */
export const makeHttpDriver = (spools: Spools | undefined): Driver => ({
  name: "http",
  class: "http",
  guarantee: "effectively_once",
  source: httpSource(spools)
})

/** As a process knows it that takes no records: settings are checked, a run is refused with the way out. */
export const httpDriver: Driver = makeHttpDriver(undefined)

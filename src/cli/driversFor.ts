/**
 * The drivers of a command that answers with one object.
 *
 * @module
 */
import { builtinDrivers } from "../drivers/builtin.ts"
import { makeConsoleDriver } from "../drivers/console/ConsoleDriver.ts"
import type { Driver } from "../drivers/Driver.ts"

/** With --json stdout belongs to the one object: records that are printed go to stderr. */
export const driversFor = (json: boolean): ReadonlyArray<Driver> => (json ? quietDrivers : builtinDrivers)

const quietDrivers = builtinDrivers.map((driver) =>
  driver.name === "console" ? makeConsoleDriver(process.stderr) : driver
)

/**
 * The drivers every Millrace has.
 *
 * @module
 */
import type { Driver } from "./Driver.ts"
import { fileDriver } from "./file/FileDriver.ts"

export const builtinDrivers: ReadonlyArray<Driver> = [fileDriver]

/**
 * The drivers every Millrace has.
 *
 * @module
 */
import type { Driver } from "./Driver.ts"
import { fileDriver } from "./file/FileDriver.ts"
import { makeMemoryHub } from "./memory/MemoryHub.ts"

/** What `use: memory` means in a pipeline file: a program fills it before it runs the pipeline. */
export const memoryHub = makeMemoryHub()

export const builtinDrivers: ReadonlyArray<Driver> = [fileDriver, memoryHub.driver]

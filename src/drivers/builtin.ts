/**
 * The drivers every Millrace has.
 *
 * @module
 */
import { consoleDriver } from "./console/ConsoleDriver.ts"
import type { Driver } from "./Driver.ts"
import { fileDriver } from "./file/FileDriver.ts"
import { generatorDriver } from "./generator/GeneratorDriver.ts"
import { httpDriver } from "./http/HttpDriver.ts"
import { makeMemoryHub } from "./memory/MemoryHub.ts"

/** What `use: memory` means in a pipeline file: a program fills it before it runs the pipeline. */
export const memoryHub = makeMemoryHub()

export const builtinDrivers: ReadonlyArray<Driver> = [
  fileDriver,
  generatorDriver,
  consoleDriver,
  httpDriver,
  memoryHub.driver
]

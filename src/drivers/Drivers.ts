/**
 * The registry: which drivers this process knows, by the name a pipeline uses.
 *
 * @module
 */
import { Context, Layer } from "effect"
import type { Driver } from "./Driver.ts"

export class Drivers extends Context.Service<Drivers, ReadonlyMap<string, Driver>>()(
  "millrace/drivers/Drivers"
) {
  /** A registry of exactly these drivers. */
  static readonly layer = (drivers: ReadonlyArray<Driver>): Layer.Layer<Drivers> =>
    Layer.succeed(Drivers, new Map(drivers.map((driver) => [driver.name, driver])))
}

/**
 * The drivers of a service: confined to its folders, and with a door for records that are pushed.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import { type Confines, confined } from "../drivers/Confines.ts"
import type { Driver } from "../drivers/Driver.ts"
import { Drivers } from "../drivers/Drivers.ts"
import { Ingress } from "../drivers/http/Ingress.ts"

/** `use: http` reads what comes in through `Ingress`; the other drivers are those given. */
export const layerServedDrivers = (
  drivers: ReadonlyArray<Driver>,
  confines: Confines
): Layer.Layer<Drivers, never, Ingress> =>
  Layer.effect(
    Drivers,
    Effect.map(Ingress, ({ driver }) => {
      const others = drivers.filter(({ name }) => name !== driver.name)
      return new Map(confined([...others, driver], confines).map((each) => [each.name, each]))
    })
  )

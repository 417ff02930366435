/**
 * The group `drivers`: the systems a pipeline can be connected to.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import type { DriverJson } from "../api/drivers.ts"
import type { AnyOffer, Driver } from "../drivers/Driver.ts"
import { Drivers } from "../drivers/Drivers.ts"

export const layerDrivers = HttpApiBuilder.group(Api, "drivers", (handlers) =>
  handlers.handleAll({
    listDrivers: () => Effect.map(Drivers, (drivers) => ({ drivers: [...drivers.values()].map(driverJson) }))
  })
)

/** A driver's contract, and what it can by what it offers. */
export const driverJson = (driver: Driver): DriverJson => ({
  name: driver.name,
  class: driver.class,
  guarantee: driver.guarantee,
  source: settingsOf(driver.source),
  sink: settingsOf(driver.sink),
  lookup: settingsOf(driver.lookup),
  capabilities: {
    source: driver.source !== undefined,
    sink: driver.sink !== undefined,
    lookup: driver.lookup !== undefined,
    /** Whether two ends on one thing are told before anything runs. */
    collision_check: [driver.source, driver.sink].some((offer) => offer?.resource !== undefined)
  }
})

/** The settings of an end do not change while the process lives. */
const known = new WeakMap<object, Schema.Json>()

const settingsOf = (offer: AnyOffer<unknown> | undefined): Schema.Json => {
  if (offer === undefined) return null
  const before = known.get(offer)
  if (before !== undefined) return before
  const { definitions, schema } = Schema.toJsonSchemaDocument(offer.config, { onExcessProperty: "error" })
  const document = { ...schema, ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }) }
  known.set(offer, document as Schema.Json)
  return document as Schema.Json
}

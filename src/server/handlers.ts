/**
 * The handlers of everything that is served: one layer a group.
 *
 * @module
 */
import { Layer } from "effect"
import { Histories } from "../pipeline/History.ts"
import { Changes } from "./Changes.ts"
import { Definitions } from "./Definitions.ts"
import { layerDrivers } from "./handleDrivers.ts"
import { layerIngress } from "./handleIngress.ts"
import { layerLifecycle } from "./handleLifecycle.ts"
import { layerPipelines } from "./handlePipelines.ts"
import { layerService } from "./handleService.ts"
import { Keys } from "./Keys.ts"
import { layerDeadLetters } from "./layerDeadLetters.ts"
import { layerHistory } from "./layerHistory.ts"

export const layerHandlers = Layer.mergeAll(
  layerPipelines,
  layerLifecycle,
  layerHistory,
  layerDeadLetters,
  layerIngress,
  layerDrivers,
  layerService
).pipe(Layer.provide(Histories.layer))

/**
 * What the handlers share, beside the log, the pipelines, the roster, the drivers, the premises, the
 * ingress and the readiness of the service. To be provided to the whole server: requests ask for it.
 */
export const layerShared = Layer.mergeAll(Changes.layer, Definitions.layer, Keys.layer)

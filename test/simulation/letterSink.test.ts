import { survivesCrashes } from "./crashes.ts"
import { letterSinkTopologies } from "./letterSinks.ts"
import { inMemory } from "./WorldLog.ts"

survivesCrashes(letterSinkTopologies, inMemory)

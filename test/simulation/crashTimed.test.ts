import { survivesCrashes } from "./crashes.ts"
import { timedTopologies } from "./timedTopologies.ts"
import { inMemory } from "./WorldLog.ts"

survivesCrashes(timedTopologies, inMemory)

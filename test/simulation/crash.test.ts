import { survivesCrashes } from "./crashes.ts"
import { topologies } from "./topologies.ts"
import { inMemory } from "./WorldLog.ts"

survivesCrashes(topologies, inMemory)

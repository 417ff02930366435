import { survivesCrashes } from "./crashes.ts"
import { mergedTopologies } from "./mergedTopologies.ts"
import { topologies } from "./topologies.ts"
import { inMemory } from "./WorldLog.ts"

survivesCrashes({ ...topologies, ...mergedTopologies }, inMemory)

import { layerMemory } from "../../src/log/Memory.ts"
import { eventLogContract } from "../contracts/EventLog.ts"
import { layerSqliteTemporary } from "./temporary.ts"

eventLogContract("memory", () => layerMemory)
eventLogContract("SQLite", () => layerSqliteTemporary)

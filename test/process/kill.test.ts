import { describe } from "vitest"
import { survivesKills } from "./kills.ts"
import { inFolder } from "./Place.ts"

describe("a log in a folder", () => survivesKills(inFolder))

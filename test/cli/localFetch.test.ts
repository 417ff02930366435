import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeApiClient } from "../../src/cli/ApiClient.ts"
import { localFetch } from "../../src/cli/localFetch.ts"
import { temporaryFolder } from "../process/CommandLine.ts"
import { pipeline } from "./commandLine.ts"

it.live("what is asked of a folder that nobody holds is written down, and nobody acts on it", () =>
  Effect.gen(function* () {
    using folder = temporaryFolder()
    const looks = yield* Effect.scoped(
      Effect.gen(function* () {
        const place = { _tag: "Folder", directory: folder.path, name: "here" } as const
        const fetch = yield* localFetch(place, folder.path, folder.path)
        const client = yield* makeApiClient({ url: "http://localhost", token: undefined, fetch })
        const params = { name: "orders" }
        const look = client.pipelines.getPipeline({ params, query: { selector: "status" } })
        yield* client.pipelines.createPipeline({
          headers: {},
          payload: { name: "orders", program_code: pipeline("orders") }
        })
        yield* client.lifecycle.startPipeline({ params, headers: {} })
        // Whoever steers it has provisioned it long before the last of these.
        return yield* Effect.forEach(Array.from({ length: 100 }), () => look)
      })
    )
    const statuses = looks.map((one) => [one.deployment_status, one.deployment_desired_status].join())
    assert.deepEqual([...new Set(statuses)], ["Shutdown,Running"])
  })
)

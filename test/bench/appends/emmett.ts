/**
 * The same event into emmett's store on the same server, with an expected version like ours.
 *
 * @module
 */
import { openEmmettStore } from "../peers.ts"
import { data, streamNames, type } from "./event.ts"
import { connectionsMost } from "./postgres.ts"
import { rateOf, type Trial } from "./Store.ts"

export interface Emmett {
  readonly appends: (writers: number) => Trial
  readonly close: () => Promise<void>
}

export const openEmmett = async (url: string): Promise<Emmett> => {
  const store = await openEmmettStore(url, connectionsMost)
  await store.schema.migrate()
  let trials = 0
  return {
    appends: (writers) => {
      trials += 1
      const loops = streamNames(writers).map((name) => {
        const stream = `${name}-${trials}`
        let version: bigint | "STREAM_DOES_NOT_EXIST" = "STREAM_DOES_NOT_EXIST"
        return async () => {
          const appended = await store.appendToStream(stream, [{ type, data }], {
            expectedStreamVersion: version
          })
          version = appended.nextExpectedStreamVersion
        }
      })
      return (ms) => rateOf(ms, loops)
    },
    close: () => store.close()
  }
}

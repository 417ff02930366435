/**
 * Where the service may listen: on this machine as it likes, anywhere else only with a token.
 *
 * @module
 */
import { isIP } from "node:net"
import { Schema } from "effect"

/** The service would be open to everybody who reaches this address. */
export class UnsafeAddress extends Schema.TaggedError<UnsafeAddress>()("UnsafeAddress", {
  host: Schema.String,
  message: Schema.String,
  suggestion: Schema.String
}) {}

/** Does only this machine reach the address? A name other than `localhost` may point anywhere. */
export const isLoopback = (host: string): boolean => {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase()
  if (bare === "localhost") return true
  if (isIP(bare) === 4) return bare.startsWith("127.")
  return bare === "::1" || bare === "0:0:0:0:0:0:0:1" || /^::ffff:127\.\d+\.\d+\.\d+$/.test(bare)
}

/** Why the service may not listen there, `undefined` when it may. `tokens` is how many are configured. */
export const refuseAddress = (host: string, tokens: number): UnsafeAddress | undefined =>
  tokens > 0 || isLoopback(host)
    ? undefined
    : new UnsafeAddress({
        host,
        message: `${host === "" ? "every address" : host} can be reached by other machines, and there is no token: anybody could run pipelines here`,
        suggestion: "`millrace token new <name> --scope operate` makes a token, or listen on 127.0.0.1"
      })

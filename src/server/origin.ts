/**
 * Who a request was meant for, and which page made it.
 *
 * A web page may make a browser send requests to a service on the reader's own machine. With its own name
 * pointed at 127.0.0.1 (DNS rebinding) it could even read the answers: then `Host` is that name. So a name
 * that is not ours is refused, and so is a page that is not ours. A bare IP address cannot be rebound.
 *
 * @module
 */
import { isIP } from "node:net"
import { type Failure, failed } from "../api/failures.ts"

export interface Origins {
  /** Names of this service, besides `localhost` and IP addresses. */
  readonly hosts: ReadonlyArray<string>
  /** Other pages that may call it, as `https://console.example`. */
  readonly origins: ReadonlyArray<string>
}

interface Meant {
  readonly host: string | undefined
  readonly origin: string | undefined
}

/** Why this request is refused, `undefined` when it is not. */
export const refuseOrigin = (
  { host, origin }: Meant,
  allowed: Origins
): Failure<"ForbiddenHost" | "ForbiddenOrigin"> | undefined => {
  const name = host === undefined ? undefined : hostnameOf(`http://${host}`)
  if (name === undefined || !isOurs(name, allowed)) {
    const message = `This service is not known as ${JSON.stringify(host ?? "")}`
    return failed("ForbiddenHost", message, {
      suggestion: "call it by its address, or start it with --allow-host <name>"
    })
  }
  if (origin === undefined || allowed.origins.includes(origin) || isSame(origin, host!)) return undefined
  return failed("ForbiddenOrigin", `Pages of ${JSON.stringify(origin)} may not call this service`, {
    suggestion: "start it with --allow-origin <origin>, if they should"
  })
}

const isOurs = (name: string, { hosts }: Origins): boolean =>
  name === "localhost" ||
  isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0 ||
  hosts.some((host) => host.toLowerCase() === name)

/** `null`, the origin of sandboxed pages and files, is nobody's. */
const isSame = (origin: string, host: string): boolean => {
  const page = URL.parse(origin)
  return page !== null && /^https?:$/.test(page.protocol) && page.host === URL.parse(`http://${host}`)?.host
}

const hostnameOf = (url: string): string | undefined => {
  const parsed = URL.parse(url)
  // Anything besides a name and a port (a path, a user) is no Host header.
  return parsed === null || parsed.pathname !== "/" || parsed.username !== "" ? undefined : parsed.hostname
}

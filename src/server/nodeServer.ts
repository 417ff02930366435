/**
 * Node's own HTTP server with bounds, and with words for what happens before a request is one.
 *
 * @module
 */
import { createServer, type Server } from "node:http"
import type { Duplex } from "node:stream"
import { type Failure, failed, statusOf } from "../api/failures.ts"
import type { Bounds } from "./bounds.ts"

/** A server that is not listening yet. */
export const nodeServer = ({ connections, headersMs, requestMs }: Bounds): Server => {
  const server = createServer({
    headersTimeout: Math.min(headersMs, requestMs),
    requestTimeout: requestMs,
    connectionsCheckingInterval: checkingMs({ headersMs, requestMs }),
    keepAliveTimeout: 5000,
    maxHeaderSize: 16 * 1024
  })
  let open = 0
  server.on("connection", (socket) => {
    open += 1
    socket.once("close", () => {
      open -= 1
    })
    if (open > connections) refuse(socket, failed("TooManyConnections", "Too many connections at once"))
  })
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return socket.destroy()
    refuse(socket, failureOf(error.code))
  })
  return server
}

/** How often Node looks for slow clients, in milliseconds; its default of 30 s would double the bounds. */
export const checkingMs = ({ headersMs, requestMs }: Pick<Bounds, "headersMs" | "requestMs">): number =>
  Math.max(50, Math.min(1000, headersMs / 4, requestMs / 4))

const failureOf = (code: string | undefined): Failure => {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return failed("RequestTimeout", "The request did not arrive in time")
    case "HPE_HEADER_OVERFLOW":
      return failed("HeadersTooLarge", "The headers are too large")
    default:
      return failed("BadRequest", "This is not an HTTP request")
  }
}

/** An answer by hand: at this point there is no request to answer. */
const refuse = (socket: Duplex, failure: Failure): void => {
  const body = JSON.stringify(failure)
  const head = [
    `HTTP/1.1 ${statusOf(failure.error_code)} ${failure.error_code}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close"
  ].join("\r\n")
  socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy())
}

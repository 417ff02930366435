/**
 * A service of a test: a real HTTP server on a free port of this machine.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect } from "effect"

export interface Asked {
  readonly records: ReadonlyArray<{
    readonly index: number
    readonly payload: unknown
    readonly key?: string
  }>
}

/** What a handler may answer with: a status and a body, or nothing (it has answered, or never does). */
export type Reply = {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}
export type Handler = (
  asked: Asked,
  request: IncomingMessage,
  response: ServerResponse
) => Reply | undefined | Promise<Reply | undefined>

export interface Service {
  readonly url: string
  readonly port: number
  readonly calls: Array<Asked>
  /** As a process that is killed: nothing is answered any more, and the port is closed. */
  readonly kill: () => Promise<void>
}

/** Every record with what `of` makes of it. */
export const each =
  (of: (payload: never, index: number) => object): Handler =>
  ({ records }) => ({
    body: { records: records.map(({ index, payload }) => ({ index, ...of(payload as never, index) })) }
  })

export const startService = (handler: Handler, port = 0) =>
  Effect.acquireRelease(
    Effect.promise(() => listen(handler, port)),
    ({ kill }) => Effect.promise(kill)
  )

const listen = async (handler: Handler, port: number): Promise<Service> => {
  const calls: Array<Asked> = []
  const server = createServer(async (request, response) => {
    const parts: Array<Buffer> = []
    for await (const part of request) parts.push(part)
    const asked: Asked = parts.length === 0 ? { records: [] } : JSON.parse(Buffer.concat(parts).toString())
    if (request.method === "POST") calls.push(asked)
    const reply = await handler(asked, request, response)
    if (reply === undefined || response.destroyed) return
    const { body = "", headers = {}, status = 200 } = reply
    response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body))
  })
  server.on("clientError", (_, socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  const bound = (server.address() as AddressInfo).port
  return {
    url: `http://127.0.0.1:${bound}/work`,
    port: bound,
    calls,
    kill: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

/**
 * A TCP proxy that fails on command: towards a server whose clients must survive it.
 *
 * @module
 */
import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"

/** What happens to a connection whose client sends the marker. */
export type Fault =
  /** Cut before the server has seen it. */
  | "cut before"
  /** The server gets it and answers; the connection is cut instead of the answer. */
  | "cut after"
  /** The server gets it and answers; the answer never arrives, and the connection stays. */
  | "swallow"

export interface FaultyProxy {
  readonly port: number
  /** Strikes one connection, once. */
  readonly strike: (fault: Fault, marker: string) => void
  /** Nothing passes any more, in either direction; new connections are accepted and get no answer. */
  readonly stall: () => void
  /** Cuts what stalls; new connections pass again. */
  readonly heal: () => void
  readonly close: () => Promise<void>
}

export const startFaultyProxy = async (target: number): Promise<FaultyProxy> => {
  const sockets = new Set<Socket>()
  let next: { readonly fault: Fault; readonly marker: string } | undefined
  let isStalled = false

  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1")
    let struck: Fault | undefined
    const cut = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on("error", cut)
      socket.on("close", () => {
        sockets.delete(socket)
        cut()
      })
    }
    client.on("data", (chunk) => {
      if (isStalled) return
      if (next !== undefined && chunk.includes(next.marker)) {
        struck = next.fault
        next = undefined
      }
      if (struck === "cut before") cut()
      else upstream.write(chunk)
    })
    upstream.on("data", (chunk) => {
      if (isStalled || struck === "swallow") return
      if (struck === "cut after") cut()
      else client.write(chunk)
    })
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    strike: (fault, marker) => {
      next = { fault, marker }
    },
    stall: () => {
      isStalled = true
    },
    heal: () => {
      isStalled = false
      destroyAll()
    },
    close: async () => {
      destroyAll()
      server.close()
      await once(server, "close")
    }
  }
}

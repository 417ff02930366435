/**
 * Why the service does not listen, as a person is told.
 *
 * @module
 */
import type { UnsafeAddress } from "../server/listenAddress.ts"
import type { TokenError } from "../server/TokenFile.ts"
import { CliFailure, failureOf } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"

/** An address that is not safe was typed; a port that is taken and an address nobody has are the machine's. */
export const refusedServing =
  (host: string, port: number) =>
  (error: UnsafeAddress | TokenError | { readonly _tag: string; readonly cause?: unknown }): CliFailure => {
    switch (error._tag) {
      case "UnsafeAddress": {
        const { message, suggestion } = error as UnsafeAddress
        return new CliFailure({ exit: exitCode.badInput, code: "unsafe_address", message, suggestion })
      }
      case "TokenError": {
        const { code, message, suggestion } = error as TokenError
        return new CliFailure({ exit: exitCode.environment, code, message, suggestion })
      }
      case "ServeError":
        return ofSystem(host, port, (error as { readonly cause?: unknown }).cause as NodeJS.ErrnoException)
      default:
        return failureOf(error)
    }
  }

const ofSystem = (host: string, port: number, cause: NodeJS.ErrnoException | undefined): CliFailure => {
  const told = (code: string, message: string, suggestion: string) =>
    new CliFailure({ exit: exitCode.environment, code, message, suggestion })
  switch (cause?.code) {
    case "EADDRINUSE":
      return told("port_in_use", `${host}:${port} is taken`, "name another --port; --port 0 takes a free one")
    case "EACCES":
      return told("port_forbidden", `this user may not listen on port ${port}`, "take a port above 1023")
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return told("unknown_address", `${host} is no address of this machine`, "listen on 127.0.0.1")
    default:
      return told("cannot_listen", `cannot listen on ${host}:${port}: ${cause?.message ?? ""}`, "see --help")
  }
}

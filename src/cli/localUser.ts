/**
 * Who sits at this machine.
 *
 * @module
 */
import { userInfo } from "node:os"

/** The name under which what a command does is recorded. */
export const localUser = (): string => {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that has no name.
    return "local"
  }
}

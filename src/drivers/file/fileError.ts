/**
 * What the file system's errors mean to a pipeline, and what a person can do about each.
 *
 * @module
 */
import { readdirSync } from "node:fs"
import { basename, dirname } from "node:path"
import { nearest } from "../../../events/nearest.ts"
import { DriverError, type DriverErrorReason } from "../DriverError.ts"

export type Access = "read" | "write"

/** A setting, or the thing it points at, is wrong. */
export const misconfigured = (
  operation: string,
  code: string,
  message: string,
  suggestion?: string
): DriverError => fail(operation, { _tag: "Misconfigured", code, message, ...told(suggestion) })

/** A thrown value of `node:fs` as a DriverError; a DriverError passes through. */
export const fileError = (operation: string, path: string, access: Access, cause: unknown): DriverError =>
  cause instanceof DriverError ? cause : fail(operation, reasonOf(path, access, cause))

const reasonOf = (path: string, access: Access, cause: unknown): DriverErrorReason => {
  const errno = (cause as NodeJS.ErrnoException | undefined)?.code
  switch (errno) {
    case "ENOENT":
      return {
        _tag: "Misconfigured",
        code: "file_not_found",
        message: `${path} does not exist`,
        ...told(siblings(path))
      }
    case "EEXIST": // a folder was to be made where a file is
    case "EISDIR":
    case "ENOTDIR":
      return notAFile(path)
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return unauthorized(path, access)
    case "ENOSPC":
    case "EDQUOT":
      return {
        _tag: "Unavailable",
        code: "disk_full",
        message: `no space left for ${path}`,
        suggestion: "free some space or raise the quota; the pipeline then goes on where it stopped"
      }
    case "EMFILE":
    case "ENFILE":
      return {
        _tag: "Unavailable",
        code: "too_many_open_files",
        message: `${path} cannot be opened: too many open files`,
        suggestion: "raise the limit on open files (ulimit -n) or run fewer pipelines at once"
      }
    default: {
      const message = cause instanceof Error ? cause.message : String(cause)
      return { _tag: "Unavailable", code: "file_io_failed", message: `${path}: ${message}` }
    }
  }
}

/** The path is there, but it is a folder, a device or a pipe. */
export const notAFile = (path: string): DriverErrorReason => ({
  _tag: "Misconfigured",
  code: "not_a_file",
  message: `${path} is not a regular file`,
  suggestion: "name a file; folders, devices and pipes cannot be read again from a position"
})

const unauthorized = (path: string, access: Access): DriverErrorReason =>
  access === "read"
    ? {
        _tag: "Unauthorized",
        code: "file_unreadable",
        message: `${path} may not be read by this user`,
        suggestion: "check the permissions of the file and of the folders above it"
      }
    : {
        _tag: "Unauthorized",
        code: "output_not_writable",
        message: `${path} may not be written by this user`,
        suggestion: "check the permissions of the folder; it may be on a read-only file system"
      }

export const fail = (operation: string, reason: DriverErrorReason): DriverError =>
  new DriverError({ driver: "file", operation, reason })

const told = (suggestion: string | undefined) => (suggestion === undefined ? {} : { suggestion })

const siblings = (path: string): string => {
  try {
    const close = nearest(basename(path), readdirSync(dirname(path)))
    return close === undefined
      ? "check the path; it resolves against the pipeline file's folder"
      : `did you mean ${close}?`
  } catch {
    return `the folder ${dirname(path)} does not exist either`
  }
}

/**
 * What a service says no with, and what keeps it from answering, as a person and a program are told.
 *
 * @module
 */
import { HttpClientError } from "effect/http"
import { codes, type ErrorCode, type Failure, statusOf } from "../api/failures.ts"
import { CliFailure, failureOf } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"

/** Whom the command spoke to. */
export interface Addressee {
  /** An address, or a folder whose operations were run in this process. */
  readonly name: string
  readonly hasToken: boolean
}

/** The code of an answer that is none of the contract's: another release, or another program altogether. */
export const unexpectedAnswer = "unexpected_answer"

/** What a call failed with, defects included, as a failure of the command. */
export const serviceFailure = (error: unknown, to: Addressee): CliFailure => {
  if (isRefusal(error)) return refused(error, to)
  if (HttpClientError.isHttpClientError(error)) return notAnswered(error, to)
  const tag = typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined
  return tag === "SchemaError" ? strange("something this release cannot read", to) : failureOf(error)
}

/** Is it one of the contract's refusals, with this code if one is named? */
export const isRefusal = (error: unknown, code?: ErrorCode): error is Failure =>
  typeof error === "object" &&
  error !== null &&
  "error_code" in error &&
  known.has(error.error_code as string) &&
  (code === undefined || error.error_code === code)

const known: ReadonlySet<string> = new Set(Object.values(codes).flat())

/** `UnfinishedRun` as `unfinished_run`: codes look alike wherever a verb got them from. */
const codeOf = (code: ErrorCode): string =>
  renamed[code] ?? code.replaceAll(/[A-Z]/g, (letter, at) => `${at === 0 ? "" : "_"}${letter.toLowerCase()}`)

const renamed: Partial<Record<ErrorCode, string>> = {
  UnknownPipelineName: "unknown_pipeline",
  InvalidApiKey: "wrong_token"
}

/** What was typed, or stands in the file: the same command will not succeed. */
const badInput: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "BadRequest",
  "EmptyName",
  "InvalidJson",
  "NameDoesNotMatchPattern",
  "PayloadTooLarge",
  "StartFailedDueToFailedCompilation",
  "TooLongName",
  "UnfinishedRun",
  "UnknownDeadLetter",
  "UnknownPipelineName",
  "UnknownStage",
  "UnknownVersion"
])

/** Not about the pipeline: who asks, how, and whether the service can answer now. */
const environmentStatuses: ReadonlySet<number> = new Set([401, 403, 405, 408, 415, 429, 431, 503])

const exitOf = (code: ErrorCode): number => {
  if (badInput.has(code)) return exitCode.badInput
  return environmentStatuses.has(statusOf(code)) || code === "UnknownPath"
    ? exitCode.environment
    : exitCode.failed
}

const refused = ({ details, error_code, message }: Failure, to: Addressee): CliFailure => {
  const suggestion = suggestionFor(error_code, details.suggestion, to)
  return new CliFailure({
    exit: exitOf(error_code),
    code: codeOf(error_code),
    message: typeof details.id === "string" ? `${message} (${details.id})` : message,
    ...(typeof details.path === "string" && details.path !== "" ? { pointer: details.path } : {}),
    ...(suggestion === undefined ? {} : { suggestion })
  })
}

const suggestionFor = (
  code: ErrorCode,
  given: unknown,
  { hasToken, name }: Addressee
): string | undefined => {
  if (code === "InvalidApiKey") {
    const make = "`millrace token new <name>` beside the service makes one"
    return hasToken
      ? `${name} does not know this token; ${make}`
      : `give one with MILLRACE_TOKEN or --token; ${make}`
  }
  if (typeof given !== "string") return undefined
  // What the service advises is for whoever calls it; these verbs have words of their own for it.
  if (code === "UnknownPipelineName") return /^did you mean/.test(given) ? given : undefined
  return ourAdvice[code] ?? given
}

const ourAdvice: Partial<Record<ErrorCode, string>> = {
  CannotUpdateNonShutdownPipeline: "`millrace stop` it first, or apply the file with --restart",
  StartFailedDueToFailedCompilation:
    "`millrace check` on its file tells what is wrong; then `millrace apply` it",
  UnknownPath: "the service is of another release, and has no such operation",
  UnfinishedRun: "start it and let the run end, or give the run up: `millrace apply --abandon`"
}

const notAnswered = (error: HttpClientError.HttpClientError, to: Addressee): CliFailure => {
  const { reason } = error
  switch (reason._tag) {
    case "TransportError":
    case "InvalidUrlError":
      return new CliFailure({
        exit: exitCode.environment,
        code: "service_unreachable",
        message: `${to.name} does not answer: ${whyOf(reason)}`,
        suggestion: "is it running, and is the address right? `millrace serve` starts one"
      })
    case "EncodeError":
      return new CliFailure({ exit: exitCode.failed, code: "internal_error", message: error.message })
    default:
      return strange(`status ${reason.response.status} in a form this release does not know`, to)
  }
}

/** Fetch hides the reason below its own error, and a name with two addresses has two of them. */
const whyOf = (reason: { readonly description?: string; readonly cause?: unknown }): string => {
  if (reason.description !== undefined) return reason.description
  let cause = reason.cause
  while (cause instanceof Error) {
    if ("code" in cause && typeof cause.code === "string" && cause.code in plainly)
      return plainly[cause.code]!
    if (!(cause.cause instanceof Error)) return cause.message === "" ? cause.name : cause.message
    cause = cause.cause
  }
  return "it cannot be reached"
}

const plainly: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "it closed the connection",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "its name cannot be looked up at the moment",
  EHOSTUNREACH: "there is no way to that host",
  ETIMEDOUT: "the connection timed out",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  UND_ERR_SOCKET: "it closed the connection"
}

const strange = (what: string, to: Addressee): CliFailure =>
  new CliFailure({
    exit: exitCode.environment,
    code: unexpectedAnswer,
    message: `${to.name} answered with ${what}`,
    suggestion: "check the address, and use the release of the service: `millrace --version` is this one's"
  })

/**
 * From arguments to an exit code: runs the command and tells whatever went wrong.
 *
 * @module
 */
import { layer as layerNode } from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Logger, References } from "effect"
import { CliError, CliOutput, Command } from "effect/cli"
import { CliFailure, failureOf } from "./CliFailure.ts"
import { exitCode, signalCode } from "./exitCode.ts"
import { makeLogger } from "./logger.ts"
import { release } from "./release.ts"
import { envelope, say, tellFailure, writeOut } from "./report.ts"
import { root } from "./root.ts"
import { listen, Signals } from "./Signals.ts"
import { hasColour } from "./terminal.ts"

/** Runs the command line and ends the process with its exit code. */
export const start = (args: ReadonlyArray<string>): void => {
  listenToPipes()
  hush()
  let interrupt = () => {}
  const signals = listen(() => interrupt())
  const fiber = Effect.runFork(command(args, signals))
  interrupt = () => fiber.interruptUnsafe(fiber.id)
  // The process lives as long as its command, whatever it waits for.
  const alive = setInterval(() => {}, 2 ** 30)
  fiber.addObserver((exit) => {
    clearInterval(alive)
    const signal = signals.received()
    const code = Exit.isSuccess(exit) ? exit.value : signal === undefined ? 1 : signalCode[signal]
    process.exitCode = code
    // What was written is on its way; an open handle somewhere must not keep the process.
    process.stdout.write("", () => process.exit(code))
  })
}

const command = (args: ReadonlyArray<string>, signals: Signals["Service"]): Effect.Effect<number> => {
  const json = wantsJson(args)
  const presented = { help: "" }
  return Command.runWith(root, { version: release(), renderErrors: false })(args).pipe(
    Effect.as<number>(exitCode.done),
    Effect.catchCause((cause) => failed(cause, args, json, presented)),
    Effect.provideService(CliOutput.Presenter, presenter(json, presented)),
    Effect.provideService(Signals, signals),
    Effect.provide([layerNode, Logger.layer([loggerFor(args)])]),
    Effect.provideService(References.MinimumLogLevel, "Warn")
  )
}

const failed = Effect.fnUntraced(function* (
  cause: Cause.Cause<unknown>,
  args: ReadonlyArray<string>,
  json: boolean,
  presented: { readonly help: string }
) {
  if (Cause.hasInterruptsOnly(cause)) return yield* Effect.interrupt
  const error = Cause.squash(cause)
  if (CliError.isCliError(error) && error._tag === "ShowHelp") {
    const verb = error.commandPath[1] ?? null
    if (error.errors.length === 0 && !json) {
      yield* writeOut(`${presented.help}\n`)
      return exitCode.done
    }
    yield* tellFailure(verb, usage(error), json)
    return exitCode.badInput
  }
  const failure = failureOf(error)
  if (isDebugging(args)) yield* say(Cause.pretty(cause))
  yield* tellFailure(verbOf(args), failure, json)
  return failure.exit
})

const usage = ({ commandPath, errors }: CliError.ShowHelp): CliFailure => {
  const suggestions = errors.flatMap((error) => ("suggestions" in error ? error.suggestions : []))
  const help = `see \`${commandPath.join(" ")} --help\``
  return new CliFailure({
    exit: exitCode.badInput,
    code: "usage",
    message: errors.map(({ message }) => message.split("\n")[0]).join("\n") || "a verb is missing",
    suggestion: suggestions.length === 0 ? help : `did you mean ${suggestions.join(" or ")}? ${help}`
  })
}

/** Help that was asked for and the version go to stdout; help nobody asked for is kept back. */
const presenter = (json: boolean, presented: { help: string }): CliOutput.Presenter => ({
  present: Effect.fnUntraced(function* (event) {
    const formatter = CliOutput.defaultFormatter({ colors: hasColour(process.stdout), globalFlags: "full" })
    if (event._tag === "Version") {
      const { version } = event
      return yield* writeOut(json ? envelope(null, { version }, undefined) : `millrace ${version}\n`)
    }
    const help = formatter.formatHelpDoc(event.helpDoc)
    presented.help = help
    if (event._tag === "InvalidInvocation" || event.reason === "Implicit") return
    yield* writeOut(json ? envelope(event.commandPath[1] ?? null, { help }, undefined) : `${help}\n`)
  })
})

/** Made before the arguments are read, because reading them may have something to log. */
const loggerFor = (args: ReadonlyArray<string>): Logger.Logger<unknown, void> =>
  makeLogger(
    {
      format: /--log-format[ =]json\b/.test(own(args).join(" ")) ? "json" : "pretty",
      debugging: isDebugging(args)
    },
    (line) => void process.stderr.write(line)
  )

/** Who reads stdout may stop reading (`| head`): that is no error, and nothing more is to be done. */
const listenToPipes = (): void => {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCode.done)
    throw error
  })
  process.stderr.on("error", () => {})
}

/** Node 22 calls its SQLite experimental; the person at the terminal did not ask. */
const hush = (): void => {
  const { emitWarning } = process
  process.emitWarning = ((warning: string | Error, ...rest: ReadonlyArray<never>) => {
    if (String(warning).includes("SQLite is an experimental feature")) return
    emitWarning(warning, ...rest)
  }) as typeof process.emitWarning
}

const wantsJson = (args: ReadonlyArray<string>): boolean => own(args).includes("--json")

const isDebugging = (args: ReadonlyArray<string>): boolean =>
  /--log-level[ =](?:debug|trace|all)\b/.test(own(args).join(" "))

/** What stands before a bare `--`. */
const own = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = args.indexOf("--")
  return end === -1 ? args : args.slice(0, end)
}

const verbOf = (args: ReadonlyArray<string>): string | null => {
  const verbs = root.subcommands.flatMap(({ commands }) => commands.map(({ name }) => name))
  return args.find((arg) => verbs.includes(arg)) ?? null
}

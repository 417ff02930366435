/**
 * The story of a pipeline, one readable line an event.
 *
 * @module
 */
import type { EventOf, PipelineEvent, Reason } from "../events/PipelineEvent.ts"

/**
 * What an event says, as a sentence without its full stop. It quotes names and messages as they are:
 * whoever prints it to a terminal escapes control characters.
 */
export const describe = (event: PipelineEvent): string => {
  switch (event._tag) {
    case "Defined":
      return defined(event)
    case "DesiredStatusSet":
      return `wanted ${event.desired}${event.reason === "" ? "" : `: ${event.reason}`}`
    case "ProvisioningStarted":
      return "provisioning"
    case "InitializingStarted":
      return "initializing"
    case "Deployed":
      return "ready"
    case "Paused":
      return "paused"
    case "Resumed":
      return "running"
    case "BecameUnavailable":
      return `unavailable: ${reason(event.reason)}`
    case "BecameAvailable":
      return "available again"
    case "DeploymentFailed":
      return `could not be deployed: ${reason(event.error)}`
    case "ShutdownStarted":
      return "shutting down"
    case "ShutDown":
      return "shut down"
    case "Scheduled":
      return scheduled(event)
    case "TickSkipped":
      return `${ticks(event)} skipped: ${event.reason}`
    case "Triggered":
      return `triggered${event.tick === undefined ? "" : ` by tick ${event.tick}`}: ${event.reason}`
    case "RunStarted":
      return `run ${event.run} started${from(event.from)}`
    case "BatchSealed":
      return sealed(event)
    case "StageApplied":
      return applied(event)
    case "DuplicateSuppressed":
      return `${event.stage} has batch ${event.batch} already, from attempt ${event.attempt}`
    case "OutputFinished":
      return `the output of ${event.stage} is complete`
    case "Retried":
      return retried(event)
    case "Completed":
      return `run ${event.run} completed`
    case "Failed":
      return `run ${event.run} failed: ${reason(event.reason)}`
    case "Crashed":
      return `run ${event.run} was cut off: ${reason(event.reason)}`
    case "ReplayStarted":
      return `run ${event.run} goes on${from(event.from)}${event.generation === 0 ? "" : `, generation ${event.generation}`}`
    case "RunSetBack":
      return setBack(event)
    case "RedriveRequested":
      return `${letters(event)} to be redriven${because(event.reason)}`
    case "RedriveSealed":
      return redriveSealed(event)
    case "RedriveApplied":
      return `${event.stage} holds dead letter ${event.letter}, redrive ${event.n}`
    case "RedrivesWithdrawn":
      return `${letters(event)} not to be redriven${because(event.reason)}`
    case "RedrivesStalled":
      return `redrives do not go on at ${event.stage}: ${reason(event.reason)}`
    case "DeadLettersDiscarded":
      return `${letters(event)} discarded${because(event.reason)}`
    case "OutputsPublished":
      return `the output of ${event.stages.join(", ")} is visible with what was redriven`
  }
}

const because = (why: string): string => (why === "" ? "" : `: ${why}`)

/** One letter by its id, several by their number. */
const letters = ({
  letters
}: {
  readonly letters: ReadonlyArray<string | { readonly letter: string }>
}): string => {
  const [first] = letters
  const id = typeof first === "object" ? first.letter : first
  return letters.length === 1 ? `dead letter ${id} is` : `${count(letters.length, "dead letter")} are`
}

const redriveSealed = ({ attempt, branches, failure, letter, n }: EventOf<"RedriveSealed">): string => {
  const to = Object.keys(branches).filter((stage) => branches[stage]!.delivered > 0)
  const which = `dead letter ${letter}, redrive ${n}${attempt === 1 ? "" : `, attempt ${attempt}`}`
  const rest = failure === null ? [] : [`not handled (${reason(failure.reason)})`]
  const said = [...(to.length === 0 ? [] : [`for ${to.join(", ")}`]), ...rest]
  return `${which}: ${said.length === 0 ? "filtered" : said.join(", ")}`
}

const reason = ({ code, message }: Reason): string => `${code}: ${message}`

const number = (value: number): string => value.toLocaleString("en-US")

/** Milliseconds below a second, then seconds, minutes and hours: the two largest are what a person wants. */
const span = (ms: number): string => {
  if (ms < 1000) return `${number(Math.round(ms))} ms`
  if (ms < 60_000) return `${number(Math.floor(ms / 100) / 10)} s`
  const minutes = Math.floor(ms / 60_000)
  return minutes < 60
    ? `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`
    : `${number(Math.floor(minutes / 60))} h ${minutes % 60} min`
}

const count = (value: number, one: string): string => `${number(value)} ${one}${value === 1 ? "" : "s"}`

const from = (checkpoints: EventOf<"RunStarted">["from"]): string =>
  checkpoints.length === 0
    ? ""
    : ` from ${checkpoints.map(({ offset, source }) => `${source} ${number(offset)}`).join(", ")}`

const setBack = ({
  branches,
  fromStage,
  generation,
  reason,
  run,
  version
}: EventOf<"RunSetBack">): string => {
  const which = branches === null ? "" : ` for ${branches.join(", ")} behind ${fromStage}`
  return `run ${run} is set back to version ${version}${which}, generation ${generation}${reason === "" ? "" : `: ${reason}`}`
}

/** One tick, or a range of them. */
const ticks = ({ count: many = 1, tick, until }: EventOf<"TickSkipped"> | EventOf<"Scheduled">): string =>
  until === undefined ? `tick ${tick} was` : `${count(many, "tick")} from ${tick} to ${until} were`

const scheduled = (event: EventOf<"Scheduled">): string => {
  if (event.anchor !== undefined) return `the schedule is in force: tick ${event.tick} is its first`
  return event.until === undefined ? `tick ${event.tick} is next` : `${ticks(event)} due and wait their turn`
}

const defined = ({ findings, name, signature }: EventOf<"Defined">): string =>
  signature === null
    ? `defined as ${name}, with ${count(findings.length, "finding")}: it cannot run`
    : `defined as ${name}, signature ${signature.slice(0, 12)}`

const sealed = (event: EventOf<"BatchSealed">): string => {
  const { attempt, batch, count: read, letters, offset, source, totals } = event
  const rest = [
    ...Object.entries(event.branches).map(([stage, { records }]) => `${number(records)} for ${stage}`),
    ...(totals.filtered === 0 ? [] : [`${number(totals.filtered)} filtered`]),
    ...(totals.unrouted === 0 ? [] : [`${number(totals.unrouted)} unrouted`]),
    ...(totals.aggregated ? [`${number(totals.aggregated)} aggregated`] : []),
    ...(letters.length === 0 ? [] : [count(letters.length, "dead letter")])
  ]
  const which = attempt === 1 ? `batch ${batch}` : `batch ${batch}, attempt ${attempt}`
  return `${which}: ${count(read, "record")} of ${source} from ${number(offset)}: ${rest.join(", ")}`
}

const applied = ({ batch, checkpoint, lagMs, records, stage }: EventOf<"StageApplied">): string => {
  const place =
    checkpoint === null ? "" : `; ${checkpoint.source} is settled up to ${number(checkpoint.offset)}`
  return `${stage} holds ${count(records, "record")} of batch ${batch} after ${span(lagMs)}${place}`
}

const retried = (event: EventOf<"Retried">): string => {
  const where = event.batch === null ? event.stage : `${event.stage}, batch ${event.batch}`
  return `${where}: attempt ${event.attempt} did not succeed (${reason(event.reason)}), again in ${span(event.delayMs)}`
}

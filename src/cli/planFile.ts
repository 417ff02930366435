/**
 * The work behind `millrace plan`.
 *
 * @module
 */
import { Effect } from "effect"
import type { Finding } from "../../events/Finding.ts"
import { type DeployableFile, findingsElsewhere, readDeployable } from "./deployableFile.ts"
import { findService } from "./findService.ts"
import { hasLog } from "./openLog.ts"
import { planJson, planLines } from "./planLines.ts"
import { compare, type Plan, planOf } from "./planOf.ts"
import { answer, findingLines, say } from "./report.ts"
import { onService, Service } from "./Service.ts"
import { shown, styleOf } from "./terminal.ts"

export const planFile = Effect.fnUntraced(function* (path: string) {
  const file = yield* readDeployable(path)
  const whom = yield* findService
  // Looking makes no log.
  if (whom._tag === "Log" && whom.place._tag === "Folder" && !hasLog(whom.place.directory)) {
    return yield* tell(file, compare(file.definition, null), { name: whom.place.name, url: null })
  }
  yield* onService(
    Effect.gen(function* () {
      yield* tell(file, yield* planOf(file.definition), yield* Service)
    }),
    { base: file.base }
  )
})

/** The file's own findings, and those it has where it is to run; the latter are told here. */
export const findingsAt = Effect.fnUntraced(function* (file: DeployableFile, url: string | null) {
  const there: ReadonlyArray<Finding> = findingsElsewhere(file, url === null)
  const style = styleOf(process.stderr)
  if (there.length > 0) yield* say(there.flatMap((each) => findingLines(each, style)))
  return [...file.findings, ...there]
})

const tell = Effect.fnUntraced(function* (
  file: DeployableFile,
  plan: Plan,
  { name, url }: Pick<Service["Service"], "name" | "url">
) {
  const findings = yield* findingsAt(file, url)
  yield* answer("plan", planJson(plan, file.path, findings, url), () => {
    const style = styleOf(process.stdout)
    return [...planLines(plan, name, style), ...nextLines(plan, file.path, style.dim("→"))]
  })
})

const nextLines = (plan: Plan, path: string, arrow: string): ReadonlyArray<string> => {
  if (plan.action === "unchanged") return []
  const restart = plan.mustShutDown ? " --restart" : ""
  const command = `millrace apply ${shown(path)} --plan ${plan.hash}${restart}`
  return plan.unfinishedRun === null
    ? [`${arrow} ${command}`]
    : [`${arrow} let the run end first, or give it up: ${command} --abandon`]
}

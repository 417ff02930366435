/**
 * Why a pipeline is in its state, as a person reads it: one story for each status.
 *
 * @module
 */
import type { Chain, Why } from "../pipeline/History.ts"
import { isoTime } from "./isoTime.ts"
import { plural, type Style, shown, table } from "./terminal.ts"

/** The chains, oldest event first. */
export const whyLines = (name: string, why: Why, style: Style): ReadonlyArray<string> => [
  style.bold(shown(name)),
  ...story(`is wanted ${why.desired}`, "nobody has asked for anything yet", why.because.desired, style),
  ...story(`is ${why.deployment}`, "it was never deployed", why.because.deployment, style),
  ...story(`its run is ${why.lifecycle}`, "it was never triggered", why.because.lifecycle, style),
  // The last run is told of where it is not what its status is about any more.
  ...(why.run === null || why.because.run === why.because.lifecycle
    ? []
    : story(`its last run was ${why.run}`, "", why.because.run, style))
]

const story = (says: string, otherwise: string, { links, omitted }: Chain, style: Style) => {
  const rows = table(
    links.map((link) => [
      `  ${link.version}`,
      isoTime(link.at),
      shown(link.by),
      `${link.follows === "command" ? "with it: " : link.follows === "state" ? "so: " : ""}${shown(link.says)}`
    ])
  )
  const [first = `  ${otherwise}`, ...others] = rows
  return [
    "",
    style.bold(says),
    first,
    ...(omitted === 0 ? [] : [`  … ${plural(omitted, "event")} more like these`]),
    ...others
  ]
}

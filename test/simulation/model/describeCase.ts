/**
 * A case in words: a line for each stage, then its records, then what happens to whoever runs it.
 *
 * @module
 */
import type { Case, Item, Test } from "./Case.ts"

export const describeCase = (of: Case): string =>
  [
    ...of.nodes.map(({ breaks, does: { kind, ...does }, edges, name }) => {
      const settings = Object.entries(does).flatMap(([key, value]) =>
        value === null ? [] : [`${key} ${typeof value === "object" ? testText(value as Test) : value}`]
      )
      const ways = edges.map(({ to, when }) => (when === null ? to : `${to} if ${testText(when)}`))
      return [
        `${name}: ${[kind, ...settings].join(", ")}`,
        ...(breaks === null ? [] : [`, a contract broken by ${testText(breaks)}`]),
        ...(ways.length === 0 ? [] : [` -> ${ways.join(", ")}`])
      ].join("")
    }),
    ...Object.entries(of.records).map(
      ([source, items]) => `${source} holds ${items.map(itemText).join("  ")}`
    ),
    `on_unrouted ${of.onUnrouted}, batches of ${of.batchSize}, ${of.inFlight} in flight, checkpoints ${of.checkpointInterval}`,
    ...(of.merge === "arrival" ? [] : [`merge ${of.merge}`]),
    ...(of.late === null ? [] : [`event time, ${of.late.allowedMs} ms late at most, else ${of.late.onLate}`]),
    ...(of.deadLetters.window === 0
      ? []
      : [
          `more than ${of.deadLetters.threshold} dead letters of the last ${of.deadLetters.window} records end it`
        ]),
    ...of.deaths.map(({ at, how, late }) => {
      const more = late === null ? "" : `; its request lands at call ${late} of the next life`
      return `a life that is ${how} at crossing ${at}${more}`
    }),
    ...of.faults.map(
      ({ name, nth, operation, phase }) => `call ${nth} of ${operation} ${name} fails ${phase} its effect`
    ),
    `pace ${of.pace}`
  ].join("\n")

const testText = ({ below, digit }: Test): string => `d${digit} < ${below}`

const itemText = (item: Item | null): string =>
  item === null
    ? "(unreadable)"
    : `${item.digits.join("")}@${item.time}${item.lists.map((list) => `[${list ?? "-"}]`).join("")}`

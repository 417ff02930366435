/**
 * What a pipeline costs that does nothing.
 *
 * @module
 */
import { alternate } from "../alternate.ts"
import { rowOf } from "../comparison.ts"
import { measureProcess, pathOf, reportOf } from "../measured.ts"
import type { Given, Part, Section } from "../Part.ts"

const program = pathOf("./actors.ts", import.meta.url)

const run = async (given: Given): Promise<Section> => {
  const count = given.quick ? 500 : 10_000
  const side = (name: "actors" | "mailboxes") => async () =>
    reportOf<{ readonly live: number; readonly asleep: number }>(
      await measureProcess(["--expose-gc", program, name, `${count}`], { folder: given.folder })
    )
  const samples = await alternate(
    { ours: side("actors"), theirs: side("mailboxes"), again: side("actors") },
    { rounds: given.quick ? 1 : 3, warmUp: 0 }
  )
  const kibibytes = (of: "live" | "asleep", all: typeof samples.ours) => all.map((each) => each[of] / 1024)
  const live = kibibytes("live", samples.ours)
  // Close to nothing, so a ratio of it would be noise.
  const asleep = samples.ours.map((each) => each.asleep / 1024)
  return {
    text: `The heap after garbage collection, with ${count.toLocaleString("en")} defined pipelines of three stages awake and then asleep again, less the heap before they were woken, divided by their number; each measurement is a process of its own. The log is in memory and counted on neither side. The other side is the least an actor can be: a fiber that waits on a bounded mailbox and holds the same state.`,
    tables: [
      {
        caption: "KiB an actor (less is better)",
        rows: [
          rowOf({
            what: "awake",
            ours: live,
            theirs: kibibytes("live", samples.theirs),
            control: [kibibytes("live", samples.again), live],
            asked: "≤ 8"
          }),
          { ...rowOf({ what: "asleep again", ours: asleep, control: [live, live] }), control: "–" }
        ]
      }
    ],
    notes: ["What an actor leaves behind when it sleeps is so little that its ratio would be noise."]
  }
}

export default { title: "Idle actors", run } satisfies Part

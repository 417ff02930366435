/**
 * Moments in the life of a log that a test waits for, woken by the log and never by time.
 *
 * @module
 */
import { type Outcome, start } from "./CommandLine.ts"
import type { Place } from "./Place.ts"

/** A moment in the life of a log. */
export interface Marker {
  readonly type: string
  /** So many more events of this type than now. */
  readonly count: number
}

/** Watches a place, and does something once its log has come to the marker. */
export const once = async (place: Place, { count, type }: Marker, reached: () => void) => {
  const enough = (await place.count(type)) + count
  let over = false
  let looking = false
  let again = false
  const look = async (): Promise<void> => {
    again = looking
    if (looking || over) return
    looking = true
    // A server that is away has nothing to tell.
    const found = await place.count(type).catch(() => 0)
    looking = false
    if (found >= enough && !over) {
      over = true
      reached()
    } else if (again) await look()
  }
  const watching = await place.watch(() => void look())
  // It may have come while nobody watched yet.
  void look()
  return {
    close: () => {
      over = true
      return watching.close()
    }
  }
}

/** Runs the command and kills it with SIGKILL at the marker; a run that ends before is left alone. */
export const killAt = async (
  folder: string,
  place: Place,
  marker: Marker,
  ...args: ReadonlyArray<string>
): Promise<Outcome> => {
  let kill = () => {}
  const watching = await once(place, marker, () => kill())
  const { child, outcome } = start(folder, ...args, ...place.flags)
  kill = () => child.kill("SIGKILL")
  const ended = await outcome
  await watching.close()
  return ended
}

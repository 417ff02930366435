/**
 * How many records of a source one batch may hold, where records are split.
 *
 * @module
 */
import type { RouteStage } from "./RouteStage.ts"

/** What a batch may become at most on its way: the pieces are in memory until they are written. */
const piecesMost = 1_000_000

/** Invariant 7: as many as cannot become too many; without a limit where no stage splits. */
export const recordsMost = (source: string, stages: ReadonlyMap<string, RouteStage>): number => {
  const known = new Map<string, number>()
  const piecesFrom = (name: string): number => {
    const stage = stages.get(name)
    if (stage === undefined) return 1
    const behind = known.get(name) ?? Math.max(1, ...stage.edges.map(({ to }) => piecesFrom(to)))
    known.set(name, behind)
    return behind * (stage.splitsInto ?? 1)
  }
  const pieces = piecesFrom(source)
  return pieces === 1 ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(piecesMost / pieces))
}

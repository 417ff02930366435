/**
 * The fold one writes when nothing can be wrong with an event: `JSON.parse`, a switch, and objects that are
 * changed in place. It keeps what a run's progress needs, checks no shape, and no one could resume from it.
 *
 * @module
 */
interface Plain {
  readonly _tag: string
  readonly batch: number
  readonly count: number
  readonly offset: number
  readonly stage: string
  readonly records: number
  readonly totals: { readonly delivered: number; readonly filtered: number }
}

export interface Progress {
  readonly open: Map<number, Plain>
  readonly applied: Record<string, number>
  nextBatch: number
  read: number
  delivered: number
  filtered: number
  lifecycle: string
}

export const plainFold = (payloads: Iterable<string>): Progress => {
  const state: Progress = {
    open: new Map(),
    applied: {},
    nextBatch: 0,
    read: 0,
    delivered: 0,
    filtered: 0,
    lifecycle: "Idle"
  }
  for (const payload of payloads) {
    const event = JSON.parse(payload) as Plain
    switch (event._tag) {
      case "BatchSealed":
        state.open.set(event.batch, event)
        state.nextBatch = event.batch + 1
        state.read = event.offset + event.count
        break
      case "StageApplied": {
        const { delivered, filtered } = state.open.get(event.batch)!.totals
        state.open.delete(event.batch)
        state.applied[event.stage] = (state.applied[event.stage] ?? 0) + event.records
        state.delivered += delivered
        state.filtered += filtered
        break
      }
      case "RunStarted":
      case "Completed":
      case "Failed":
      case "Crashed":
        state.lifecycle = event._tag
    }
  }
  return state
}

/**
 * One span a batch, from its reading to its last confirmation, made when it is over: whoever works on the
 * batch is not slowed, and where nobody traces nothing is kept at all.
 *
 * @module
 */
import { Context, Exit, Option, References, Tracer } from "effect"
import type { EventOf, PipelineEvent } from "../../events/PipelineEvent.ts"
import * as OpenBatch from "../../projections/OpenBatch.ts"
import { openBatch, type PipelineState } from "../../projections/PipelineState.ts"

/** What a sink did with a batch: milliseconds from its reading, by stage. */
type Applied = Record<string, number>

/** Nothing, where nobody traces. */
export const makeBatchSpans = (context: Context.Context<never>): BatchSpans | undefined => {
  // The tracer that is there when nobody has provided one keeps spans for nobody.
  const isTraced = Context.get(context, References.TracerEnabled) && context.mapUnsafe.has(Tracer.TracerKey)
  return isTraced ? new BatchSpans(Context.get(context, Tracer.Tracer)) : undefined
}

export class BatchSpans {
  readonly #tracer: Tracer.Tracer
  readonly #applied = new Map<number, Applied>()

  constructor(tracer: Tracer.Tracer) {
    this.#tracer = tracer
  }

  /** `sealedAt` is that of the event's batch; both instants in milliseconds since 1970. */
  tell(event: PipelineEvent, before: PipelineState, at: number, sealedAt: number): void {
    switch (event._tag) {
      case "StageApplied":
      case "DuplicateSuppressed":
        this.#settles(event, before, at, sealedAt)
        break
      case "RunStarted":
      case "ReplayStarted":
      case "RunSetBack":
        // Of what was under way before nobody knows any more when it was read.
        this.#applied.clear()
    }
  }

  #settles(event: Settling, before: PipelineState, at: number, sealedAt: number): void {
    const { attempt, batch, stage } = event
    const open = openBatch(before, batch)
    if (open === undefined) return
    const settled = OpenBatch.won(open, stage, attempt)
    if (settled === open) return
    const applied = this.#applied.get(batch) ?? {}
    if (event._tag === "StageApplied") applied[stage] = event.lagMs
    if (OpenBatch.isSettled(settled)) {
      this.#applied.delete(batch)
      this.#emit(settled, applied, before, at, sealedAt)
    } else this.#applied.set(batch, applied)
  }

  #emit(
    batch: OpenBatch.OpenBatch,
    applied: Applied,
    { definition, run }: PipelineState,
    at: number,
    sealedAt: number
  ): void {
    const readAt = Math.min(sealedAt, at - Math.max(0, ...Object.values(applied)))
    const span = this.#tracer.span({
      name: "millrace.batch",
      parent: Option.none(),
      annotations: Context.empty(),
      links: [],
      startTime: nanos(readAt),
      kind: "internal",
      root: true,
      sampled: true
    })
    span.attribute("pipeline", definition?.name ?? "")
    span.attribute("run", run?.id ?? "")
    span.attribute("batch", batch.batch)
    span.attribute("source", batch.source)
    span.attribute("records", batch.count)
    span.attribute("sealed_seconds", (sealedAt - readAt) / 1000)
    for (const [stage, ms] of Object.entries(applied)) span.attribute(`applied_seconds.${stage}`, ms / 1000)
    span.end(nanos(at), Exit.void)
  }
}

type Settling = EventOf<"StageApplied"> | EventOf<"DuplicateSuppressed">

const nanos = (ms: number): bigint => BigInt(ms) * 1_000_000n

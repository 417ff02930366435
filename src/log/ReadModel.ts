/**
 * Read models: folds of the whole log that are kept, so that no question has to scan it.
 *
 * A read model folds the events of all streams in global order. Its snapshot stands at a position of
 * `allStreams`; who asks reads only what came after it. Snapshots are saved on the way, also while a long
 * log is read for the first time, so a process that dies loses no more than one interval of work; and only
 * over a connection that may write. One of another fold version is not found: the log is folded anew and
 * the new snapshot takes its place.
 *
 * @module
 */
import { Clock, Effect, Option, Result, type Scope, Semaphore, Stream, SubscriptionRef } from "effect"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import { registerGauge } from "../metrics/series.ts"
import { allStreams, EventLog, type LogError } from "./EventLog.ts"

export interface ReadModel<S> {
  /** Under this name its snapshots are kept; never used for another fold. */
  readonly name: string
  /** Grows whenever `evolve` gives another state for the same events, or `encode` another text. */
  readonly foldVersion: number
  readonly initial: S
  /** Pure and total: what it cannot read it has to say in its state. */
  readonly evolve: (state: S, row: StoredEvent) => S
  /** JSON text, or `null` for a state that is not worth keeping. */
  readonly encode: (state: S) => string | null
  /** Of what `encode` gave; may throw on anything else, which then counts as no snapshot. */
  readonly decode: (text: string) => S
}

/** The state after the event at this position; 0 is before all of them. */
export interface Standing<S> {
  readonly state: S
  readonly position: number
}

/** A read model that is kept up to date until its scope closes. */
export interface Followed<S> {
  /** With everything in it that the log held when this was asked. */
  readonly now: Effect.Effect<Standing<S>, LogError>
  /** As far as it has been read, without touching the log; it lags by a tenth of a second, more after a start. */
  readonly latest: Effect.Effect<Standing<S>>
  /** The same, for a gauge that is asked outside of any effect. */
  readonly latestUnsafe: () => Standing<S>
  /** The latest standing and every later one. */
  readonly changes: Stream.Stream<Standing<S>>
}

/** A snapshot is saved after at least this many events. */
export const snapshotEvery = 10_000

/** And not before one for each so many characters of the last one: then saving never costs more than folding. */
const charactersAnEvent = 200

/** At the end what is left is saved if it is as many events as this; fewer are read again as quickly. */
const worthSaving = 100

/** Between two looks at the log (milliseconds) a follower rests, however fast others write. */
const restMs = 100

/**
 * A follower looks by itself this often, in case a wake-up was lost. Rarely, because whoever asks for `now` is
 * not answered out of date, and a virtual month under a test's clock has many seconds.
 */
const pollEvery = "1 minute"

/** The read model as of now: the newest snapshot, and what came after it. */
export const read = <S>(model: ReadModel<S>): Effect.Effect<Standing<S>, LogError, EventLog> =>
  Effect.flatMap(EventLog, (log) => makeReading(log, model).catchUp)

/**
 * Keeps a read model up to date in the background. Does not wait for the log: the first `now` does.
 * A log that cannot be read now is tried again with the next wake-up.
 */
export const follow = Effect.fnUntraced(function* <S>(
  model: ReadModel<S>
): Effect.fn.Return<Followed<S>, never, EventLog | Scope.Scope> {
  const log = yield* EventLog
  const reading = makeReading(log, model)
  const one = yield* Semaphore.make(1)
  const live = yield* SubscriptionRef.make(reading.standing())
  const lag = yield* showLag(model.name)
  const now = Effect.gen(function* () {
    const before = yield* SubscriptionRef.get(live)
    const standing = yield* reading.catchUp
    if (standing.position !== before.position) yield* SubscriptionRef.set(live, standing)
    lag.caughtUp(standing.position)
    return standing
  }).pipe(one.withPermits(1))

  // The fiber below is interrupted first: nothing is folded any more when this saves.
  yield* Effect.addFinalizer(() => reading.saveIf(worthSaving))
  const wakeUps = Stream.merge(Stream.mapEffect(log.changes, lag.heardOf), Stream.tick(pollEvery))
  yield* Stream.runForEach(wakeUps, () =>
    Effect.catch(now, (error) =>
      Effect.logWarning(`The read model ${model.name} waits for the log.`, error)
    ).pipe(Effect.andThen(Effect.sleep(restMs)))
  ).pipe(Effect.forkScoped)
  return {
    now,
    latest: SubscriptionRef.get(live),
    latestUnsafe: () => SubscriptionRef.getUnsafe(live),
    changes: SubscriptionRef.changes(live)
  }
})

/** Since when a read model has known of an event that it has not read, as a gauge until the scope closes. */
const showLag = Effect.fnUntraced(function* (model: string) {
  const context = yield* Effect.context<never>()
  let read = 0
  let known = 0
  let since: number | undefined
  const gauge = registerGauge(context, "millrace_read_model_lag_seconds", { model }, (now) =>
    since === undefined ? 0 : Math.max(0, now - since) / 1000
  )
  yield* Effect.addFinalizer(() => Effect.sync(gauge.remove))
  return {
    heardOf: (position: number) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        known = Math.max(known, position)
        if (known > read) since ??= now
      }),
    caughtUp: (position: number) => {
      read = position
      if (known <= read) since = undefined
    }
  }
})

/** A fold on its way through the log. One at a time may call `catchUp`. */
const makeReading = <S>(log: EventLog["Service"], model: ReadModel<S>) => {
  let standing: Standing<S> = { state: model.initial, position: 0 }
  let isLoaded = false
  let unsaved = 0
  let due = snapshotEvery

  const load = Effect.gen(function* () {
    const saved = yield* log.loadSnapshot(allStreams, model.name, model.foldVersion)
    const known = Option.flatMap(saved, ({ state, version }) =>
      Option.map(decoded(model, state), (of): Standing<S> => ({ state: of, position: version }))
    )
    if (Option.isSome(saved) && Option.isSome(known)) {
      standing = known.value
      due = dueAfter(saved.value.state)
    }
    isLoaded = true
  })

  const saveIf = (events: number) =>
    Effect.suspend(() => {
      if (!log.isWritable || unsaved < events) return Effect.void
      unsaved = 0
      const { position, state } = standing
      const text = model.encode(state)
      if (text === null) return Effect.void
      due = dueAfter(text)
      const { foldVersion, name } = model
      // A snapshot only saves work: without it more is folded next time.
      return Effect.ignore(
        log.saveSnapshot({ stream: allStreams, fold: name, foldVersion, version: position, state: text })
      )
    })

  const fold = (rows: ReadonlyArray<StoredEvent>) =>
    Effect.suspend(() => {
      let { position, state } = standing
      for (const row of rows) {
        state = model.evolve(state, row)
        position = row.position
      }
      standing = { state, position }
      unsaved += rows.length
      // A long log is read a page at a time: others have their turn in between.
      return Effect.andThen(saveIf(due), Effect.yieldNow)
    })

  const catchUp = Effect.gen(function* () {
    if (!isLoaded) yield* load
    yield* Stream.runForEachArray(log.readAll({ after: standing.position }), fold)
    return standing
  })

  return { standing: () => standing, catchUp, saveIf }
}

const dueAfter = (text: string): number => Math.max(snapshotEvery, Math.ceil(text.length / charactersAnEvent))

const decoded = <S>(model: ReadModel<S>, text: string): Option.Option<S> =>
  Result.getSuccess(Result.try(() => model.decode(text)))

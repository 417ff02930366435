/**
 * Keys a stage has seen, the oldest first: as many as it was told to remember.
 *
 * @module
 */
import type { KeysDelta } from "../events/BatchMemory.ts"

/** Part of the keys, with their event times (ms) where the stage goes by them. */
interface Chunk {
  readonly keys: ReadonlyArray<string>
  readonly times?: ReadonlyArray<number>
}

/**
 * Plain JSON, never changed. In chunks, so that a batch copies one of them and not all keys; of the first
 * chunk so many keys are `forgotten` already.
 */
export interface RememberedKeys {
  readonly chunks: ReadonlyArray<Chunk>
  readonly forgotten: number
}

export const empty: RememberedKeys = { chunks: [], forgotten: 0 }

/** A chunk that has grown to this many keys is left alone. */
const chunkKeys = 512

export const apply = ({ chunks, forgotten }: RememberedKeys, delta: KeysDelta): RememberedKeys =>
  forget(delta.keys.length === 0 ? chunks : added(chunks, delta), forgotten + delta.forget)

/** Every key that is remembered, the oldest first; one that was seen again after its time stands here twice. */
export function* entries({
  chunks,
  forgotten
}: RememberedKeys): Generator<readonly [key: string, time: number | undefined]> {
  for (const [index, { keys, times }] of chunks.entries()) {
    for (let at = index === 0 ? forgotten : 0; at < keys.length; at++) yield [keys[at]!, times?.[at]]
  }
}

/** All keys as one delta: applied to none, it gives them again. */
export const asDelta = (remembered: RememberedKeys): KeysDelta => {
  const all = [...entries(remembered)]
  const times = all.flatMap(([, time]) => (time === undefined ? [] : [time]))
  return {
    keys: all.map(([key]) => key),
    ...(times.length === all.length && all.length > 0 ? { times } : {}),
    forget: 0
  }
}

/** How many there are. */
export const size = ({ chunks, forgotten }: RememberedKeys): number =>
  chunks.reduce((sum, { keys }) => sum + keys.length, -forgotten)

const added = (chunks: ReadonlyArray<Chunk>, { keys, times }: KeysDelta): ReadonlyArray<Chunk> => {
  const fresh: Chunk = { keys, ...(times === undefined ? {} : { times }) }
  const last = chunks.at(-1)
  if (last === undefined || last.keys.length >= chunkKeys) return [...chunks, fresh]
  const grown: Chunk = {
    keys: [...last.keys, ...keys],
    ...(times === undefined ? {} : { times: [...(last.times ?? []), ...times] })
  }
  return chunks.with(-1, grown)
}

const forget = (chunks: ReadonlyArray<Chunk>, forgotten: number): RememberedKeys => {
  let [gone, left] = [0, forgotten]
  while (gone < chunks.length && chunks[gone]!.keys.length <= left) left -= chunks[gone++]!.keys.length
  return { chunks: gone === 0 ? chunks : chunks.slice(gone), forgotten: gone === chunks.length ? 0 : left }
}

/**
 * The tokens as a running service knows them: looked up again as soon as their file changes.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto"
import { statSync } from "node:fs"
import { Context, Effect, Layer } from "effect"
import type { Scope } from "../api/scopes.ts"
import { hashOf, readTokens, type StoredToken, type TokenError, tokenPath } from "./TokenFile.ts"

export interface KnownToken {
  readonly name: string
  readonly scope: Scope
}

export class Tokens extends Context.Service<
  Tokens,
  {
    /** How many tokens there are. A file that cannot be read counts as one that nobody has: it lets nobody in. */
    readonly count: Effect.Effect<number>
    /** The token behind the text somebody sent, `undefined` when there is none. */
    readonly find: (token: string) => Effect.Effect<KnownToken | undefined>
  }
>()("millrace/server/Tokens") {}

/** Those of a data directory. Fails when the file is there and cannot be used. */
export const layerTokens = (directory: string): Layer.Layer<Tokens, TokenError> =>
  Layer.effect(
    Tokens,
    Effect.gen(function* () {
      let stamp = stampOf(directory)
      let known = hashed(yield* readTokens(directory))
      const present = Effect.suspend(() => {
        const now = stampOf(directory)
        if (now === stamp) return Effect.succeed(known)
        return readTokens(directory).pipe(
          Effect.map(hashed),
          Effect.catch((error) => Effect.as(Effect.logError(`nobody is let in: ${error.message}`), unusable)),
          Effect.tap((tokens) =>
            Effect.sync(() => {
              stamp = now
              known = tokens
            })
          )
        )
      })
      return {
        count: Effect.map(present, ({ length }) => length),
        find: (token) => Effect.map(present, (tokens) => matching(tokens, token))
      }
    })
  )

interface HashedToken extends KnownToken {
  readonly hash: Buffer
}

const hashed = (tokens: ReadonlyArray<StoredToken>): ReadonlyArray<HashedToken> =>
  tokens.map(({ hash, name, scope }) => ({ name, scope, hash: Buffer.from(hash, "hex") }))

/** No SHA-256 has no bytes. */
const unusable: ReadonlyArray<HashedToken> = [{ name: "", scope: "read", hash: Buffer.alloc(0) }]

/** Every token is compared, each in constant time: how long it takes says nothing about any of them. */
const matching = (tokens: ReadonlyArray<HashedToken>, text: string): KnownToken | undefined => {
  const given = Buffer.from(hashOf(text), "hex")
  let found: KnownToken | undefined
  for (const { hash, name, scope } of tokens) {
    if (hash.length === given.length && timingSafeEqual(hash, given)) found = { name, scope }
  }
  return found
}

/** Changes with every change of the file: it is replaced, never written over. */
const stampOf = (directory: string): string => {
  const found = statSync(tokenPath(directory), { throwIfNoEntry: false, bigint: true })
  return found === undefined ? "" : `${found.ino}/${found.size}/${found.mtimeNs}/${found.mode}`
}

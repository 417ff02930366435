/**
 * The endpoints of one service stage while it works: who is well, who is busy, and who takes the next call.
 *
 * @module
 */
import type { Service } from "../../../events/Definition.ts"
import { type Balancer, leastConnections, roundRobin, weighted } from "./Balancer.ts"
import { type HashRing, makeRing, ownerOf } from "./HashRing.ts"
import * as Health from "./Health.ts"

export interface Endpoint {
  readonly number: number
  readonly url: string
  readonly weight: number
  calls: number
  health: Health.Health
}

/** An endpoint, and how long it has asked to be left alone still (ms). */
export interface Choice {
  readonly endpoint: Endpoint
  readonly waitMs: number
}

export class Endpoints {
  readonly all: ReadonlyArray<Endpoint>
  readonly #ring: HashRing | undefined
  #balancer: Balancer

  constructor({ balance, endpoints }: Pick<Service, "balance" | "endpoints">) {
    this.all = endpoints.map(({ url, weight }, number) => ({
      ...{ number, url, weight, calls: 0 },
      health: Health.healthy
    }))
    this.#ring = balance === "consistent_hash" ? makeRing(endpoints) : undefined
    this.#balancer =
      balance === "weighted"
        ? weighted()
        : balance === "least_connections"
          ? leastConnections()
          : roundRobin()
  }

  /**
   * Who takes a call now; of `failed` ones only when there is nobody else. Where nobody is well, the one that
   * has been out longest is asked all the same: a service that is back must not wait for its own ejections.
   */
  choose(now: number, failed: ReadonlySet<number>, key?: string): Choice {
    const well = this.#candidates(now, failed)
    if (well.length > 0) return { endpoint: this.#pick(well, key), waitMs: 0 }
    const quiet = this.all.filter(({ health }) => health.quietUntil <= now)
    const fresh = quiet.filter(({ number }) => !failed.has(number))
    const others = fresh.length > 0 ? fresh : quiet
    if (others.length > 0) return { endpoint: this.#pick(soonest(others), key), waitMs: 0 }
    const endpoint = this.#pick(soonest(this.all), key)
    return { endpoint, waitMs: endpoint.health.quietUntil - now }
  }

  #candidates(now: number, failed: ReadonlySet<number>): ReadonlyArray<Endpoint> {
    const well = this.all.filter(({ health }) => Health.standing(health, now) !== "out")
    const fresh = well.filter(({ number }) => !failed.has(number))
    return fresh.length > 0 || failed.size === 0 ? fresh : well
  }

  #pick(among: ReadonlyArray<Endpoint>, key: string | undefined): Endpoint {
    if (this.#ring !== undefined && key !== undefined) {
      const owner = ownerOf(this.#ring, key, (number) => among.some((each) => each.number === number))
      return this.all[owner!]!
    }
    const [number, after] = this.#balancer.next(
      among.map(({ calls, number, weight }) => ({ endpoint: number, weight, calls }))
    )
    this.#balancer = after
    return this.all[number]!
  }
}

const soonest = (endpoints: ReadonlyArray<Endpoint>): ReadonlyArray<Endpoint> => {
  const first = Math.min(...endpoints.map(({ health }) => Health.freeFrom(health)))
  return endpoints.filter(({ health }) => Health.freeFrom(health) === first)
}

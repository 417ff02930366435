/**
 * The same units as workflows of DBOS: three steps, each recorded before the next begins.
 *
 * @module
 */
import { loadDbos } from "../peers.ts"

/** Connections to the server; as many as may be at work at once. */
const poolSize = 20

export const openDbos = async (url: string) => {
  const DBOS = await loadDbos()
  const quiet = () => undefined
  DBOS.setConfig({
    name: "units",
    systemDatabaseUrl: url,
    systemDatabasePoolSize: poolSize,
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet }
  })
  const counts = { reserve: 0, charge: 0, ship: 0 }
  const step = (name: keyof typeof counts, id: number) =>
    DBOS.runStep(
      async () => {
        counts[name] += 1
        return { id, amount: 21 }
      },
      { name }
    )
  const workflow = DBOS.registerWorkflow(
    async (id: number) => {
      const reserved = await step("reserve", id)
      const charged = await step("charge", reserved.id)
      return step("ship", charged.id)
    },
    { name: "unit" }
  )
  await DBOS.launch()
  return {
    run: async (): Promise<void> => {
      await workflow(1)
    },
    done: () => Object.values(counts),
    close: () => DBOS.shutdown()
  }
}

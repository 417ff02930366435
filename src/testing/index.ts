/**
 * The test kit: what a program needs to try its pipelines without the outside world.
 *
 * @module
 */
export {
  failOnce,
  type Interpose,
  type MemoryCall,
  type MemoryHub,
  makeMemoryHub
} from "../drivers/memory/MemoryHub.ts"
export type { MemoryTable } from "../drivers/memory/MemoryTable.ts"

import type { Hands, ManagerStore } from '@fusionize/aws'
import type { PlannerFacts, Strategy } from '@fusionize/planner'
import type { SealedBuilder } from '@fusionize/platform/sealed'
import type { ManagerConfig } from './config.js'

/** What a run works with. */
export interface LapTools {
  config: ManagerConfig
  builder: SealedBuilder
  strategy: Strategy
  facts: PlannerFacts
  hands: Hands
  store: ManagerStore
  /** Epoch ms. */
  now(): number
  /** Of this run, and until when it is over at the latest, epoch ms. */
  run: { id: string; beganMs: number; untilMs: number; memoryMb: number }
}

import type { RequestSample } from './load/fire.js'
import type { Row } from './outcome.js'

/** What a run is doing with a setup, in order. */
export type Phase = 'build' | 'deploy' | 'warm-up' | 'load' | 'drain' | 'evaluate'

/** Told what a run does as it does it; all of it is for people. */
export interface Watcher {
  /** Before anything: what will be done and about how long it takes. */
  plan(words: string): void
  /** A heading for what follows: the loop, the baselines… */
  section(title: string): void
  /** Work on a setup begins. */
  setup(label: string, notation: string): void
  /** `total` is the number of requests, in the phases that have any. */
  phase(phase: Phase, total?: number): void
  samples(batch: readonly RequestSample[]): void
  /** Work on the setup is done. */
  row(row: Row): void
  note(words: string): void
}

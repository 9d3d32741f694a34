import type { Bench } from './harness.js'

/** All benches, each loaded when it is asked for. */
export const benches: Record<string, () => Promise<{ default: Bench }>> = {
  'inline-call': () => import('./cases/inline-call.js'),
  startup: () => import('./cases/startup.js'),
  hop: () => import('./cases/hop.js'),
  send: () => import('./cases/send.js'),
  trigger: () => import('./cases/trigger.js'),
  chain: () => import('./cases/chain.js'),
  'fan-out': () => import('./cases/fan-out.js'),
  payload: () => import('./cases/payload.js'),
  map: () => import('./cases/map.js'),
  'ad-events': () => import('./cases/ad-events.js'),
  sort: () => import('./cases/sort.js'),
  faults: () => import('./cases/faults.js'),
  gateway: () => import('./cases/gateway.js'),
  throughput: () => import('./cases/throughput.js'),
  cold: () => import('./cases/cold.js'),
  burst: () => import('./cases/burst.js'),
  webshop: () => import('./cases/webshop.js'),
  prediction: () => import('./cases/prediction.js'),
  advise: () => import('./cases/advise.js'),
  simulator: () => import('./cases/simulator.js'),
  sizing: () => import('./cases/sizing.js'),
  planner: () => import('./cases/planner.js'),
  convergence: () => import('./cases/convergence.js'),
  emulation: () => import('./cases/emulation.js'),
}

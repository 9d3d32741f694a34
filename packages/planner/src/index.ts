export { best, better, choose, compareRows, dominates, objective, objectiveEstimate, satisfies } from './goals.js'
export { type Cost, costOf, totalOf } from './measure/cost.js'
export { measure, type RequestSample } from './measure/measure.js'
export {
  type CallGraph,
  type CallGraphBucket,
  type CallGraphEdge,
  type CallGraphNode,
  callGraph,
} from './profile/call-graph.js'
export { emptyProfile } from './profile/fold.js'
export { profileFromJSON, profileToJSON } from './profile/json.js'
export { mergeProfiles } from './profile/merge.js'
export { createMonitor, type Monitor, type MonitorOptions, type Trace } from './profile/monitor.js'
export { doubleBilledMs, figuresOf, type SpanFigures } from './profile/spans.js'
export type * from './profile/types.js'
export { edgeKey } from './profile/types.js'
export { type RecordedBehaviourOptions, recordedBehaviour } from './simulator/recorded-behaviour.js'
export {
  type RecordedDelays,
  recordedDelays,
  recordedEntries,
  recordedGatewayMs,
} from './simulator/recorded-platform.js'
export { simulate } from './simulator/simulate.js'
export type * from './simulator/types.js'
export {
  type BootstrapOptions,
  bootstrap,
  mean,
  percentileInterval,
  percentiles,
  quantile,
} from './statistics/bootstrap.js'
export { type Distribution, meanOf, quantileOf } from './statistics/distribution.js'
export { seededRandom } from './statistics/random.js'
export { strategies } from './strategies/index.js'
export type * from './types.js'

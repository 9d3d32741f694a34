export { type Advisor, createAdvisor } from './advise/advise.js'
export { adviceDefaults } from './advise/observe.js'
export type * from './advise/types.js'
export { type CdfPoint, cdfOf, shareUpTo } from './characterize/cdf.js'
export {
  addRequest,
  correlationOf,
  doubleBillingShareOf,
  emptyCharacteristics,
  mergeCharacteristics,
} from './characterize/characterize.js'
export type * from './characterize/types.js'
export { best, better, choose, compareRows, dominates, objective, objectiveEstimate, satisfies } from './goals.js'
export { type Cost, costOf, totalOf } from './measure/cost.js'
export { measure, type RequestSample } from './measure/measure.js'
export { predict, predictorOf } from './model/predict.js'
export {
  awsLambda2023,
  awsLambdaArm,
  awsLambdaX86,
  type PriceModel,
  priceOf,
  usdPerGbSecond,
} from './model/prices.js'
export type * from './model/types.js'
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
export { formats } from './traces/formats.js'
export {
  createTraceImporter,
  type FileReader,
  type FileSummary,
  type ImportEvents,
  type ImportOptions,
  type ImportSummary,
  importDefaults,
  type TraceImporter,
} from './traces/importer.js'
export { type PublishedImport, publishedImporter } from './traces/published.js'
export { type PublishedSetups, readPublishedSetups, withMemoryOf } from './traces/published-setup.js'
export type * from './traces/types.js'
export type * from './types.js'

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
export {
  best,
  better,
  choose,
  compareRows,
  dominates,
  minimizeText,
  objective,
  objectiveEstimate,
  satisfies,
  weightsOf,
} from './goals.js'
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
export { composeValue, followedBy, stagesOf } from './stages/compose.js'
export { dependenceOf, measuredDependence } from './stages/dependence.js'
export {
  type ExecutionPlan,
  meets,
  type Passing,
  type PlannedGroup,
  predictedOf,
  wordsOf,
} from './stages/execution-plan.js'
export * from './stages/grid.js'
export { samplesAt } from './stages/interpolate.js'
export {
  type Group,
  type Parallelism,
  type PlanFigures,
  type SizedGroup,
  type StageModel,
  type StageModelOptions,
  separateGroups,
  stageModel,
} from './stages/model.js'
export { setupOfPlan, type Translated } from './stages/to-setup.js'
export * from './stages/types.js'
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
export { faastlane, faastlane1 } from './strategies/competitors/faastlane.js'
export { type OrionOptions, orion } from './strategies/competitors/orion.js'
export { photons, photonsBest } from './strategies/competitors/photons.js'
export { type SonicMethod, type SonicOptions, sonic, sonicMethods } from './strategies/competitors/sonic.js'
export { type StoreFacts, storeFacts } from './strategies/competitors/store-facts.js'
export { rescaled, wisefuse } from './strategies/competitors/wisefuse.js'
export { strategies } from './strategies/index.js'
export { appOfTraces, seenInTraces } from './strategies/plan/app-of-traces.js'
export {
  type CallDag,
  type CallTask,
  type DagCall,
  type DagFigures,
  dagOf,
  type TaskFigures,
} from './strategies/plan/call-dag.js'
export { objectiveOf, overshootOf, type PlanGoal } from './strategies/plan/goal.js'
export { limitsOf, noLimits, type PlanLimits } from './strategies/plan/limits.js'
export { type FrontPoint, kneeOf, type ParetoFront, paretoFront } from './strategies/plan/pareto.js'
export { type CallPlan, type PlanCallsOptions, planCalls } from './strategies/plan/plan-calls.js'
export { type PlanContext, plannerOf, type SeenPlan, type SeenPlanner } from './strategies/plan/plan-seen.js'
export { type PlanStagesOptions, planStages, type StagePlan } from './strategies/plan/plan-stages.js'
export { analyticPredictor, type Predictor, type SetupFigures } from './strategies/plan/predictor.js'
export { type Seen, spread } from './strategies/plan/seen.js'
export { frontOf, type SeenFront } from './strategies/plan/seen-front.js'
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
export { tracesOfRecords } from './traces/own-records.js'
export { type PublishedImport, publishedImporter } from './traces/published.js'
export { type PublishedSetups, readPublishedSetups, withMemoryOf } from './traces/published-setup.js'
export type * from './traces/types.js'
export type * from './types.js'

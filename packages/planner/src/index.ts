/**
 * Records in, a better fusion setup out. What the command line, the benches and platform authors use, by what it is for.
 */

// The loop: a strategy proposes a setup, its measurement is judged by a goal.

export { best, choose, dominates, minimizeText, objective, objectiveEstimate, satisfies, weightsOf } from './goals.js'
export { billedMs } from './measure/billed.js'
export { type Cost, costOf, totalOf } from './measure/cost.js'
export { measure, type RequestSample } from './measure/measure.js'
export { type Settled, settledOf } from './measure/settled.js'
export { strategies } from './strategies/index.js'
export type * from './types.js'

// Profile: what records tell, in bounded memory.

export {
  type CallGraph,
  type CallGraphBucket,
  type CallGraphEdge,
  type CallGraphNode,
  callGraph,
} from './profile/call-graph.js'
export * from './profile/figures.js'
export { emptyProfile } from './profile/fold.js'
export { profileFromJSON, profileToJSON } from './profile/json.js'
export { mergeProfiles } from './profile/merge.js'
export { createMonitor, type Monitor, type MonitorOptions, type Trace } from './profile/monitor.js'
export { isRequest } from './profile/trace.js'
export type * from './profile/types.js'

// Traces: requests from files of any system, or from records.

export {
  createTraceImporter,
  type FileReader,
  type FileSummary,
  type ImportEvents,
  type ImportOptions,
  type ImportSummary,
  type TraceImporter,
} from './traces/importer.js'
export { tracesOfRecords } from './traces/own-records.js'
export { type PublishedImport, publishedImporter } from './traces/published.js'
export { type PublishedSetups, readPublishedSetups, withMemoryOf } from './traces/published-setup.js'
export type * from './traces/types.js'

// What traces of any application say: their shape, and what fusing and sizing would save.

export { type Advisor, createAdvisor } from './advise/advise.js'
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

// Model: what another setup would do. Price lists are in `fusionize/prices`.

export { predict, predictorOf } from './model/predict.js'
export { type Prices, priceOf } from './model/prices.js'
export type * from './model/types.js'

// Simulator: the same under another load, with queues and start-ups.

export { type RecordedBehaviourOptions, recordedBehaviour } from './simulator/recorded-behaviour.js'
export {
  type RecordedDelays,
  recordedDelays,
  recordedEntries,
  recordedGatewayMs,
} from './simulator/recorded-platform.js'
export { cpuShareOf, type RecordedWorld, type RecordedWorldOptions, recordedWorld } from './simulator/recorded-world.js'
export { simulate } from './simulator/simulate.js'
export type * from './simulator/types.js'

// Plan: the setup for a goal, by search over a call DAG, and over what was seen.

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
export { limitsOf, type PlanLimits } from './strategies/plan/limits.js'
export { type FrontPoint, kneeOf, type ParetoFront, paretoFront } from './strategies/plan/pareto.js'
export { type CallPlan, type PlanCallsOptions, planCalls } from './strategies/plan/plan-calls.js'
export { type PlanContext, plannerOf, type SeenPlan, type SeenPlanner } from './strategies/plan/plan-seen.js'
export { analyticPredictor, type Predictor, type SetupFigures } from './strategies/plan/predictor.js'
export { type Seen, spread } from './strategies/plan/seen.js'
export { frontOf, type SeenFront } from './strategies/plan/seen-front.js'

// Workflows of stages: their model, `plan` and the competitors on them.

export { composeValue, followedBy, stagesOf } from './stages/compose.js'
export { dependenceOf, measuredDependence } from './stages/dependence.js'
export type { ExecutionPlan, Passing, PlannedGroup } from './stages/execution-plan.js'
export { stageFactsOf } from './stages/facts.js'
export { type TracedWorkflow, withDriver, workflowOf } from './stages/from-traces.js'
export { type Grid, gridMean, type Rounding } from './stages/grid.js'
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
export { faastlane, faastlane1 } from './strategies/competitors/faastlane.js'
export { type OrionOptions, orion } from './strategies/competitors/orion.js'
export { photons, photonsBest } from './strategies/competitors/photons.js'
export { type SonicMethod, type SonicOptions, sonic, sonicMethods } from './strategies/competitors/sonic.js'
export { NOT_SAID, type StageStudy, studyOf } from './strategies/competitors/stage-strategy.js'
export { type StoreFacts, storeFacts } from './strategies/competitors/store-facts.js'
export { rescaled, wisefuse } from './strategies/competitors/wisefuse.js'
export { type PlanStagesOptions, planStages, type StagePlan } from './strategies/plan/plan-stages.js'

// Statistics as METRICS defines them.

export { type BootstrapOptions, bootstrap, mean, quantile } from './statistics/bootstrap.js'
export { type Distribution, quantileOf } from './statistics/distribution.js'
export { seededRandom } from './statistics/random.js'
export { student975 } from './statistics/student.js'

export { accountOf, type ClientOptions, type Clients, closeClients, createClients, regionOf } from './deploy/clients.js'
export { type CostEstimate, type CostLine, type CostOptions, estimateCost } from './deploy/cost.js'
export {
  carryOutDeployment,
  type Deployment,
  type DeployRun,
  deploySetup,
  type Preparation,
  packageBuild,
  prepareDeployment,
} from './deploy/deploy-setup.js'
export { type DestroyRun, type Destruction, destroyApp, planDestruction } from './deploy/destroy.js'
export { costText, type DryRun, dryRunDocument, dryRunText } from './deploy/dry-run.js'
export { hasManager, observe } from './deploy/observe.js'
export type { Observed } from './deploy/observed.js'
export { packageFiles } from './deploy/packages.js'
export type { Desired, Resource } from './deploy/resources.js'
export {
  type Architecture,
  type DeployOptions,
  deployDefaults,
  type Runtime,
  retentionChoices,
  type Settings,
  settingsOf,
} from './deploy/settings.js'
export type { Operation, Phase, Plan, Step } from './deploy/steps.js'
export { shiftTraffic } from './deploy/traffic.js'
export { type Usage, type UsageProfile, usageOf } from './deploy/usage.js'
export type { Pace } from './deploy/wait.js'
export { type CodePackage, zipFiles } from './deploy/zip.js'
export { type Deployed, readDeployed } from './deployed.js'
export { type CloudFormationExport, exportCloudFormation } from './export/cloudformation.js'
export type { Template, TemplateResource } from './export/template.js'
export { factsOf } from './facts.js'
export { createHands, type Hands, type HandsOptions, type ServedSetup, type Sightings } from './managed/hands.js'
export { type ManagerStore, managerStore } from './managed/store.js'
export * as names from './names.js'
export { type AwsPlatform, type AwsPlatformOptions, createAwsPlatform } from './platform.js'
export { type ServicePrices, servicePrices } from './prices.js'

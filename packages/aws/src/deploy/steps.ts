import type {
  AsyncResource,
  BucketResource,
  FunctionResource,
  LogGroupResource,
  MappingResource,
  Policy,
  QueueResource,
  RoleResource,
  ScheduleGroupResource,
  ScheduleResource,
  TableResource,
  UrlResource,
} from './resources.js'

/** The order of a deployment: a phase begins when the one before is done. `switch` is what makes the setup serve. */
export const phases = [
  'shared',
  'roles',
  'functions',
  'schedules',
  'switch',
  'entries',
  'manager',
  'retire',
  'clean',
  'roles-clean',
] as const
export type Phase = (typeof phases)[number]

/** What a step does. */
export type Operation =
  | { do: 'create-bucket'; bucket: BucketResource }
  | { do: 'configure-bucket'; bucket: BucketResource; what: ('tags' | 'access' | 'encryption' | 'expiry')[] }
  | { do: 'create-table'; table: TableResource }
  | { do: 'wait-table'; table: TableResource }
  | { do: 'set-expiry'; table: TableResource }
  | { do: 'create-queue'; queue: QueueResource }
  | { do: 'set-queue'; queue: QueueResource; url: string }
  | { do: 'create-role'; role: RoleResource }
  | { do: 'put-policy'; role: string; policy: Policy }
  | { do: 'delete-policy'; role: string; policy: string }
  | { do: 'delete-role'; role: string }
  | { do: 'create-log-group'; group: LogGroupResource }
  | { do: 'set-retention'; group: LogGroupResource }
  | { do: 'create-function'; function: FunctionResource }
  | { do: 'upload-code'; function: FunctionResource }
  | { do: 'configure-function'; function: FunctionResource }
  | { do: 'publish-version'; function: FunctionResource; deployed: string }
  | { do: 'set-concurrency'; function: string; concurrency: number | undefined }
  /** `version` absent: the one that this run publishes. */
  | { do: 'set-alias'; function: string; alias: string; version?: string; description: string; exists: boolean }
  | { do: 'describe-alias'; function: string; alias: string; description: string }
  | { do: 'set-async'; async: AsyncResource }
  | { do: 'set-url'; url: UrlResource; exists: boolean }
  | { do: 'allow-url'; function: string; statement: UrlStatement }
  | { do: 'forbid-url'; function: string; statement: string }
  | { do: 'create-mapping'; mapping: MappingResource }
  | { do: 'enable-mapping'; id: string }
  | { do: 'delete-mapping'; id: string }
  | { do: 'delete-schedule-group'; group: string }
  | { do: 'create-schedule-group'; group: ScheduleGroupResource }
  | { do: 'set-schedule'; schedule: ScheduleResource; exists: boolean }
  | { do: 'delete-schedule'; group: string; schedule: string }
  | { do: 'delete-url'; function: string }
  | { do: 'delete-async'; function: string; qualifier: string }
  | { do: 'delete-alias'; function: string; alias: string }
  | { do: 'delete-version'; function: string; version: string }
  | { do: 'delete-function'; function: string }

/** Statements of a public URL: it takes both since October 2025 ("Control access to Lambda function URLs", AWS Lambda Developer Guide). */
export const urlStatements = ['fusionize-url', 'fusionize-url-invoke'] as const
export type UrlStatement = (typeof urlStatements)[number]

/** One change. */
export interface Step {
  phase: Phase
  /** Steps of a lane come one after the other, in order; lanes of a phase go side by side. */
  lane: string
  /** What it changes, as in `function fusionize-iot-check-air`. */
  resource: string
  /** What it does, for people: `upload 12.3 kB`. */
  words: string
  operation: Operation
}

/** What a deployment will do. Empty when everything is as it should be. */
export interface Plan {
  setup: string
  deployed: string
  steps: Step[]
  /** What is worth knowing but keeps nothing from working. */
  warnings: string[]
}

/** Makes steps of one resource, which come one after the other. */
export function stepFor(phase: Phase, resource: string, lane = resource) {
  return (words: string, operation: Operation): Step => ({ phase, lane, resource, words, operation })
}

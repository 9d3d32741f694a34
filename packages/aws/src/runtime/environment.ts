/** Variable in which the deployer tells a function what it is: `Environment` as JSON. */
export const ENVIRONMENT_VARIABLE = 'FUSIONIZE'

/** What the deployer tells a version of a function, and whoever looks at what is deployed. */
export interface Environment {
  /** The function, as the app knows it. */
  function: string
  /** Runs after a failed first one, of tasks in this function that say how many. */
  retries?: Record<string, number>
  /** Names of the app's buckets. */
  buckets?: string[]
  /** Id of the setup, as records have it. */
  setup: string
  /** Id of the setup with this code and configuration: the alias `setup-<deployed>` of every function leads to the versions of one deployment. */
  deployed: string
  prefix: string
  /** MB. */
  memory: number
  /** Time limit of a task that sets none, ms. */
  timeoutMs: number
  /** Lambda function of each function that can be called remotely from here, by function. */
  functions: Record<string, string>
  /** Tasks whose inputs go through S3, whatever their size (`passing` of the setup). */
  store?: string[]
  /** Ms after a request's arrival here to start an environment of a function, by function (`prewarm` of the setup). */
  ahead?: Record<string, number>
  /** Entries of this function: how requests over HTTP reach its tasks. */
  http?: { method: string; path: string; task: string }[]
  /** Answers to requests by the Function URL are streamed. */
  streaming?: true
  /** S3 bucket and DynamoDB table of the app. */
  bucket: string
  table: string
  /** URL of the SQS queue of dead letters. */
  deadLetters: string
  /** URL of the SQS queue whose messages come to a function of the app as times; in apps with buckets. */
  times?: string
  /** See docs/decisions/040-aws.md; `extension` only in a function that takes sends inline. */
  afterReply: 'before-reply' | 'extension'
  /** One invocation in this many has cpu per span; 0 = never. */
  sampleCpuEvery: number
  /** Ms after a hand-over before which Lambda has not yet retried; another than Lambda's where tests do not wait for minutes. */
  retryMs?: number
  /** Ms after which the sweep takes a sandbox for dead that has work of buckets; another than follows from Lambda's limits where tests do not wait for minutes. */
  sweepMs?: number
}

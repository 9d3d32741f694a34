import { FusionizeError } from 'fusionize'
import type { App } from 'fusionize/setup'
import type { FunctionResource } from './resources.js'

/** "Lambda quotas", AWS Lambda Developer Guide. */
export const lambdaLimits = {
  memoryMb: { min: 128, max: 10_240 },
  timeoutS: 900,
  environmentBytes: 4096,
  retries: 2,
  /** Zip in the request itself; a larger one goes through S3. */
  directZipBytes: 50 * 2 ** 20,
  unzippedBytes: 250 * 2 ** 20,
  /** Concurrency that must stay for functions that reserve none. */
  unreservedConcurrency: 100,
} as const

/** Characters of all inline policies of a role together, white space not counted ("IAM and AWS STS quotas", IAM User Guide). */
export const policyCharacters = 10_240

/** Names that Lambda keeps for itself ("Defined runtime environment variables", AWS Lambda Developer Guide). */
const reserved = /^(AWS_|LAMBDA_|_HANDLER$|_X_AMZN_TRACE_ID$|TZ$)/

/**
 * Refuses what Lambda would refuse, before anything is made.
 * @throws {FusionizeError} `DEPLOY_FAILED` with every problem, each with what to do
 */
export function requireWithinLimits(app: App, functions: readonly FunctionResource[]): void {
  const problems = [...taskProblems(app, functions), ...functions.flatMap(functionProblems)]
  if (problems.length > 0) throw new FusionizeError('DEPLOY_FAILED', problems.join('\n'), { problems })
}

function taskProblems(app: App, functions: readonly FunctionResource[]): string[] {
  const deployed = new Set(functions.flatMap(({ tasks }) => tasks))
  const own = new Set(functions.map((one) => one.function))
  return Object.values(app.tasks).flatMap(({ name, retries = 0, timeoutMs = 0 }) => [
    ...(own.has(name) && retries > lambdaLimits.retries
      ? [
          `task '${name}' wants ${retries} retries, but Lambda retries at most ${lambdaLimits.retries} times; lower its retries option`,
        ]
      : []),
    ...(deployed.has(name) && timeoutMs > lambdaLimits.timeoutS * 1000
      ? [
          `task '${name}' may take ${timeoutMs} ms, but a Lambda function runs for ${lambdaLimits.timeoutS} s at most; lower its timeout option or split the task`,
        ]
      : []),
  ])
}

function functionProblems({ function: fn, memoryMb, environment, code }: FunctionResource): string[] {
  const { min, max } = lambdaLimits.memoryMb
  const problems: string[] = []
  if (!Number.isInteger(memoryMb) || memoryMb < min || memoryMb > max)
    problems.push(
      `function '${fn}' has ${memoryMb} MB, but Lambda gives ${min} to ${max} MB, whole; choose another size`,
    )
  const bytes = Object.entries(environment).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  )
  if (bytes > lambdaLimits.environmentBytes)
    problems.push(
      `the environment of function '${fn}' has ${bytes} bytes, but Lambda allows ${lambdaLimits.environmentBytes}; shorten env in the configuration`,
    )
  for (const name of Object.keys(environment))
    if (reserved.test(name))
      problems.push(`env sets ${name}, which Lambda keeps for itself; take it out of env, or call it something else`)
  if (code.unzippedBytes > lambdaLimits.unzippedBytes)
    problems.push(
      `the code of function '${fn}' with its packages has ${code.unzippedBytes} bytes, but Lambda takes ${lambdaLimits.unzippedBytes}; move packages to other functions, or leave some out`,
    )
  return problems
}

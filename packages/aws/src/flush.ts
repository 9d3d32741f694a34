import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import { FusionizeError } from 'fusionize'
import type { Deployed } from './deployed.js'
import { liveAlias } from './names.js'

/**
 * Has a function of the app fire what its buckets hold back until no more objects come: any of them can.
 * @returns how many firings, when they are in the table
 * @throws {FusionizeError} `UNSUPPORTED` when what is deployed cannot, `SANDBOX_CRASHED` when it failed at it
 */
export async function flushBuckets(lambda: LambdaClient, { buckets, functions }: Deployed): Promise<number> {
  if (buckets.length === 0) return 0
  for (const FunctionName of functions.values()) {
    const fired = await flushIn(lambda, FunctionName)
    if (fired !== undefined) return fired
  }
  throw new FusionizeError('UNSUPPORTED', "no function of the app takes new sessions; run 'fusionize deploy' again")
}

/** @returns undefined where the function is in none of the setups that serve */
async function flushIn(lambda: LambdaClient, FunctionName: string): Promise<number | undefined> {
  const event = { FunctionName, Qualifier: liveAlias, Payload: Buffer.from('{"fusionize":"flush"}') }
  try {
    const { FunctionError, Payload } = await lambda.send(new InvokeCommand(event))
    const answer = JSON.parse(Buffer.from(Payload ?? []).toString()) as { fired?: number; errorMessage?: string }
    if (FunctionError === undefined && answer.fired !== undefined) return answer.fired
    throw new FusionizeError(
      'SANDBOX_CRASHED',
      `function ${FunctionName} failed to flush the buckets: ${answer.errorMessage ?? 'it says nothing'}; see its log, then flush again`,
    )
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') return undefined
    throw error
  }
}

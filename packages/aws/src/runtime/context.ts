/** What the adapter uses of Lambda's context object. */
export interface LambdaContext {
  awsRequestId: string
  invokedFunctionArn: string
  getRemainingTimeInMillis(): number
}

/** Epoch ms at which Lambda ends the sandbox. */
export function endOf(context: LambdaContext): number {
  return Date.now() + context.getRemainingTimeInMillis()
}

export type LambdaHandler = (event: unknown, context: LambdaContext) => Promise<unknown>

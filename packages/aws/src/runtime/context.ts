/** What the adapter uses of Lambda's context object. */
export interface LambdaContext {
  awsRequestId: string
  invokedFunctionArn: string
  getRemainingTimeInMillis(): number
}

export type LambdaHandler = (event: unknown, context: LambdaContext) => Promise<unknown>

import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import type { Context } from './context.js'
import { isThere, unlessGone } from './failure.js'
import type { MappingResource } from './resources.js'
import type { Operation } from './steps.js'
import { eventually } from './wait.js'

/** Changes of what queues come to; undefined for other operations. */
export function mappingOperation(op: Operation, context: Context): Promise<unknown> | undefined {
  switch (op.do) {
    case 'create-mapping':
      return create(op.mapping, context)
    case 'enable-mapping':
      return unlessGone(
        context.clients.lambda.send(new UpdateEventSourceMappingCommand({ UUID: op.id, Enabled: true })),
      )
    case 'delete-mapping':
      return unlessGone(context.clients.lambda.send(new DeleteEventSourceMappingCommand({ UUID: op.id })))
    default:
      return undefined
  }
}

async function create({ functionName, qualifier, queueArn }: MappingResource, { clients, pace }: Context) {
  const command = new CreateEventSourceMappingCommand({
    FunctionName: `${functionName}:${qualifier}`,
    EventSourceArn: queueArn,
    BatchSize: 10,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
  })
  // Lambda looks whether the role may receive, and hears of a new policy some seconds late.
  await eventually(pace, `the permission of function ${functionName} to receive times`, async () => {
    try {
      await clients.lambda.send(command)
      return true
    } catch (error) {
      if (isThere(error)) return true
      const { message, name } = error as Error
      if (name === 'InvalidParameterValueException' && /role does not have permission/i.test(message)) return undefined
      throw error
    }
  })
}

import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import type { Context } from './apply.js'
import { unlessGone } from './failure.js'
import type { EventSourceResource } from './resources.js'
import { arnOf } from './settings.js'
import type { Operation } from './steps.js'
import { eventually } from './wait.js'

/** Changes of event source mappings; undefined for other operations. */
export function eventSourceOperation(op: Operation, context: Context): Promise<unknown> | undefined {
  const { lambda } = context.clients
  switch (op.do) {
    case 'create-event-source': {
      const { batchSize, queue } = op.source
      const EventSourceArn = arnOf(context.settings, 'sqs', queue)
      const input = { ...wantedOf(op.source, context), EventSourceArn, BatchSize: batchSize }
      return accepted(op.source, context, () => lambda.send(new CreateEventSourceMappingCommand(input)))
    }
    case 'set-event-source': {
      const input = { ...wantedOf(op.source, context), UUID: op.id, BatchSize: op.source.batchSize }
      return accepted(op.source, context, () => lambda.send(new UpdateEventSourceMappingCommand(input)))
    }
    case 'delete-event-source':
      return whenFree(`event source ${op.id}`, context, () =>
        unlessGone(lambda.send(new DeleteEventSourceMappingCommand({ UUID: op.id }))),
      )
    default:
      return undefined
  }
}

function wantedOf({ functionName, qualifier }: EventSourceResource, { settings }: Context) {
  return {
    FunctionName: arnOf(settings, 'lambda', `function:${functionName}:${qualifier}`),
    Enabled: true,
    FunctionResponseTypes: ['ReportBatchItemFailures' as const],
  }
}

/** Lambda looks whether the role may receive, and hears of a new policy some seconds late; one that is there already is fine. */
function accepted({ functionName, queue }: EventSourceResource, context: Context, change: () => Promise<unknown>) {
  const what = `the permission of function ${functionName} to receive from ${queue}`
  return eventually(context.pace, what, async () => {
    try {
      await whenFree(`event source ${queue}`, context, change)
      return true
    } catch (error) {
      const { message, name } = error as Error
      if (name === 'ResourceConflictException') return true
      if (name === 'InvalidParameterValueException' && /does not have permissions/i.test(message)) return undefined
      throw error
    }
  })
}

/** A mapping cannot be changed while another change of it is under way. */
function whenFree(what: string, { pace }: Context, change: () => Promise<unknown>): Promise<unknown> {
  return eventually(pace, what, async () => {
    try {
      await change()
      return true
    } catch (error) {
      if ((error as Error).name === 'ResourceInUseException') return undefined
      throw error
    }
  })
}

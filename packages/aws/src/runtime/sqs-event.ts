import { jsonProblem } from 'fusionize/http'
import type { Payload } from 'fusionize/runtime'

/** A batch of an SQS queue ("Using Lambda with Amazon SQS", AWS Lambda Developer Guide). */
export interface SqsEvent {
  Records: { messageId: string; body: string; eventSource: string; attributes?: { ApproximateReceiveCount?: string } }[]
}

export interface BatchAnswer {
  batchItemFailures: { itemIdentifier: string }[]
}

/** One message, as the input of an asynchronous run. */
export interface Message {
  /** Stable over deliveries. */
  id: string
  input: Payload
  attempt: number
}

export function isSqsEvent(event: unknown): event is SqsEvent {
  // A batch is of one source.
  return (event as Partial<SqsEvent> | null | undefined)?.Records?.[0]?.eventSource === 'aws:sqs'
}

/** Runs a task once a message, all at the same time; says which have failed, so that only those come again. @param run says whether it has not */
export async function answerBatch(
  { Records }: SqsEvent,
  run: (message: Message) => Promise<boolean>,
  refused: (id: string, why: string) => void,
): Promise<BatchAnswer> {
  const outcomes = await Promise.all(
    Records.map(async ({ messageId, body, attributes }) => {
      const problem = jsonProblem(body)
      if (problem) {
        refused(messageId, `message ${messageId} is not JSON: ${problem.message}`)
        return false
      }
      const attempt = Number(attributes?.ApproximateReceiveCount ?? 1)
      return run({ id: messageId, input: body, attempt })
    }),
  )
  return {
    batchItemFailures: Records.flatMap(({ messageId }, i) => (outcomes[i] ? [] : [{ itemIdentifier: messageId }])),
  }
}

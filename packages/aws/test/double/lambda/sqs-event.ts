import type { Message } from '../stores/queues.js'

/** Messages as the event that a function gets. */
export function sqsEvent(messages: readonly Message[], queueArn: string): { Records: unknown[] } {
  return {
    Records: messages.map((message) => ({
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes: message.Attributes ?? {},
      messageAttributes: Object.fromEntries(
        Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, lowerFirst(value as object)]),
      ),
      md5OfBody: message.MD5OfBody,
      eventSource: 'aws:sqs',
      eventSourceARN: queueArn,
      awsRegion: queueArn.split(':')[3],
    })),
  }
}

/**
 * Messages that a batch's answer says were done: all without partial failures; none where the answer names one that was not in
 * the batch, or none at all.
 */
export function succeeded(messages: readonly Message[], payload: Buffer): readonly Message[] {
  let answer: { batchItemFailures?: { itemIdentifier?: string }[] | null } | null
  try {
    answer = JSON.parse(payload.toString('utf8') || 'null') as typeof answer
  } catch {
    return []
  }
  const failures = answer?.batchItemFailures ?? []
  if (!Array.isArray(failures)) return []
  const failed = new Set(failures.map(({ itemIdentifier }) => itemIdentifier))
  const known = new Set(messages.map(({ MessageId }) => MessageId))
  if ([...failed].some((id) => !id || !known.has(id))) return []
  return messages.filter(({ MessageId }) => !failed.has(MessageId))
}

function lowerFirst(value: object): object {
  return Object.fromEntries(Object.entries(value).map(([name, x]) => [name.charAt(0).toLowerCase() + name.slice(1), x]))
}

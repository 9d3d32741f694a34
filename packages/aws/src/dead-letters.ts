import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { DeadLetter } from '@fusionize/platform'
import type { Payload, WireError } from 'fusionize/runtime'
import { WARM } from './runtime/ahead.js'
import { ENVELOPE_VERSION, type Envelope, type Sealed } from './runtime/envelope.js'

/** S for which a listing has the letters to itself: nobody else may replay one meanwhile. */
const LISTING_S = 60

/** What Lambda, or a function, wrote when retries were exhausted ("Adding a destination", AWS Lambda Developer Guide). */
interface Letter {
  timestamp: string
  requestContext: { requestId: string; functionArn: string; approximateInvokeCount: number }
  requestPayload: unknown
  responsePayload?: {
    errorType?: string
    errorMessage?: string
    stackTrace?: string[]
    trace?: string[]
    fusionize?: WireError
  }
}

/** A dead letter with what it takes to run it again. */
export interface KeptLetter extends DeadLetter {
  envelope: Envelope
  /** Lambda function that failed. */
  functionName: string
}

/** The dead letters of an app: messages of an SQS queue. */
export interface DeadLetterQueue {
  list(): Promise<KeptLetter[]>
  /** Runs letters again, each by `run`, and removes those that were taken. @returns how many */
  replay(ids: readonly string[] | undefined, run: (letter: KeptLetter) => Promise<void>): Promise<number>
}

/** @param open reads a value out of an envelope */
export function deadLetterQueue(
  sqs: SQSClient,
  QueueUrl: string,
  open: (sealed: Sealed) => Promise<Payload>,
): DeadLetterQueue {
  /** Takes all letters out of others' sight, until they are given back. */
  async function take(): Promise<Map<string, { message: Message; letter: KeptLetter }>> {
    const taken = new Map<string, { message: Message; letter: KeptLetter }>()
    for (;;) {
      // Waiting a second asks all of the queue's servers, a short poll only some.
      const command = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: LISTING_S, WaitTimeSeconds: 1 }
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(command))
      if (Messages.length === 0) return taken
      for (const message of Messages) {
        const letter = JSON.parse(message.Body ?? '{}') as Letter
        if (isOwn(letter)) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }))
        else taken.set(String(message.MessageId), { message, letter: await keptOf(letter, open) })
      }
    }
  }

  async function giveBack(messages: readonly Message[]): Promise<void> {
    for (let i = 0; i < messages.length; i += 10) {
      const Entries = messages
        .slice(i, i + 10)
        .map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle, VisibilityTimeout: 0 }))
      await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }))
    }
  }

  return {
    async list() {
      const taken = [...(await take()).values()]
      await giveBack(taken.map(({ message }) => message))
      return taken.map(({ letter }) => letter)
    },
    async replay(ids, run) {
      const taken = await take()
      let replayed = 0
      try {
        for (const [name, { message, letter }] of taken) {
          if (ids && !ids.includes(letter.id)) continue
          await run(letter)
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }))
          taken.delete(name)
          replayed++
        }
      } finally {
        await giveBack([...taken.values()].map(({ message }) => message))
      }
      return replayed
    },
  }
}

/** An event that asks a function for no run, as a sweep or a start ahead: nobody's work is lost with it, and the next one comes. */
function isOwn({ requestPayload }: Letter): boolean {
  const { fusionize } = (requestPayload ?? {}) as { fusionize?: unknown }
  return fusionize === 'sweep' || fusionize === WARM.fusionize
}

async function keptOf(
  { timestamp, requestContext, requestPayload, responsePayload }: Letter,
  open: (sealed: Sealed) => Promise<Payload>,
): Promise<KeptLetter> {
  const envelope = envelopeOf(requestPayload, requestContext.requestId, timestamp)
  const { id, task, session, at, input } = envelope
  return {
    id,
    task,
    session,
    attempts: (envelope.attempt ?? 1) - 1 + requestContext.approximateInvokeCount,
    accepted: at,
    failed: Date.parse(timestamp),
    error: errorOf(responsePayload),
    input: await open(input),
    envelope,
    functionName: requestContext.functionArn.split(':')[6] ?? '',
  }
}

/** What failed was perhaps no envelope, but an event of somebody else's: then it is the input of the function's own task. */
function envelopeOf(payload: unknown, id: string, timestamp: string): Envelope {
  const { fusionize } = (payload ?? {}) as Partial<Envelope>
  if (fusionize === ENVELOPE_VERSION) return payload as Envelope
  const own = { id, session: id, task: '', mode: 'send', external: true, trace: '', parent: null } as const
  return { fusionize: ENVELOPE_VERSION, ...own, input: { json: payload }, at: Date.parse(timestamp) }
}

/** The error whole where a function wrote it, what Lambda says of it otherwise. */
function errorOf({ errorType, errorMessage, stackTrace, trace, fusionize }: Letter['responsePayload'] = {}): WireError {
  if (fusionize) return fusionize
  const stack = stackTrace ?? trace
  return {
    name: errorType ?? 'Error',
    message: errorMessage ?? 'Lambda says nothing of the error',
    ...(stack && { stack: stack.join('\n') }),
  }
}

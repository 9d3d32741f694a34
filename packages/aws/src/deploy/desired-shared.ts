import { bucketName, deadLetterQueue, liveAlias, tableName, timeQueue } from '../names.js'
import type { FunctionResource, Resource } from './resources.js'
import { arnOf, type Settings } from './settings.js'

/** How long a dead letter is kept, s: the longest that SQS allows. */
const DEAD_LETTER_S = 14 * 24 * 3600
/** Days for which S3 keeps large payloads: a dead letter may still name one. */
const PAYLOAD_DAYS = 15
/**
 * Days for which S3 keeps objects of buckets, most of which are removed long before: a session's record lives for 30 days, and what its end
 * delivers may be a dead letter for 14 more.
 */
const OBJECT_DAYS = 46
/** Of a queue's visibility time-out, time-outs of the function that takes its messages ("Creating and configuring an Amazon SQS event source mapping", AWS Lambda Developer Guide). */
const TIMEOUTS_VISIBLE = 6
/** Days for which S3 keeps what a manager has seen, should it not run any more. */
const EVIDENCE_DAYS = 30

/** What all functions share. @param taker function that the queue of times comes to, in an app with buckets; and what such a function may take, s */
export function sharedResources(
  settings: Settings,
  taker: FunctionResource | undefined,
  longestOf: (one: FunctionResource) => number,
): Resource[] {
  const { account, prefix, region } = settings
  return [
    {
      kind: 'bucket',
      name: bucketName(prefix, account, region),
      expiry: [
        // Lambda has its own copy by then.
        { prefix: 'code/', days: 1 },
        ...(settings.managed ? [{ prefix: 'manager/', days: EVIDENCE_DAYS }] : []),
        ...(taker ? [{ prefix: 'objects/', days: OBJECT_DAYS }] : []),
        { prefix: 'payloads/', days: PAYLOAD_DAYS },
      ],
    },
    { kind: 'table', name: tableName(prefix), partitionKey: 'pk', sortKey: 'sk', expires: 'expires' },
    { kind: 'queue', name: deadLetterQueue(prefix), keeps: 'dead letters', retentionS: DEAD_LETTER_S },
    ...(taker ? timeResources(settings, taker, longestOf(taker)) : []),
  ]
}

function timeResources(settings: Settings, { name }: FunctionResource, timeoutS: number): Resource[] {
  const queue = timeQueue(settings.prefix)
  return [
    { kind: 'queue', name: queue, keeps: 'times', retentionS: DEAD_LETTER_S, visibilityS: TIMEOUTS_VISIBLE * timeoutS },
    {
      ...{ kind: 'mapping', functionName: name, qualifier: liveAlias, queue },
      queueArn: arnOf(settings, 'sqs', queue),
    },
  ]
}

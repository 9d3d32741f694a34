import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import type { Clients } from '../deploy/clients.js'
import { isGone, unlessGone } from '../deploy/failure.js'
import { bucketName, tableName } from '../names.js'
import { s3Store } from '../s3-store.js'

/** What a manager remembers: a small head in the app's table, whose changes are conditional, and what it has seen in the app's bucket, which the head names. */
export interface ManagerStore {
  /** Undefined: it has never run. */
  read(): Promise<{ revision: number; head: unknown } | undefined>
  /** Writes the head that follows on a revision (0: the first). False: somebody else has written one meanwhile, and nothing is changed. */
  write(revision: number, head: unknown): Promise<boolean>
  /** Undefined: it is gone. */
  readEvidence(key: string): Promise<unknown>
  /** Returns the name by which it is found again. */
  writeEvidence(evidence: unknown): Promise<string>
  removeEvidence(key: string): Promise<void>
}

const KEY = { pk: { S: 'manager#' }, sk: { S: 'head' } }

/** @param options of the app's deployment */
export function managerStore(
  { dynamodb, s3 }: Pick<Clients, 'dynamodb' | 's3'>,
  { account, prefix, region }: { account: string; prefix: string; region: string },
): ManagerStore {
  const Bucket = bucketName(prefix, account, region)
  const objects = s3Store(s3, Bucket)
  const TableName = tableName(prefix)
  return {
    async read() {
      const found = await unlessGone(dynamodb.send(new GetItemCommand({ TableName, Key: KEY, ConsistentRead: true })))
      const { head, revision } = found?.Item ?? {}
      if (head?.S === undefined) return undefined
      return { revision: Number(revision?.N), head: JSON.parse(head.S) }
    },

    async write(revision, head) {
      const Item = { ...KEY, revision: { N: String(revision + 1) }, head: { S: JSON.stringify(head) } }
      const isNext = {
        ConditionExpression: 'revision = :at',
        ExpressionAttributeValues: { ':at': { N: String(revision) } },
      }
      const isFirst = { ConditionExpression: 'attribute_not_exists(pk)' }
      try {
        await dynamodb.send(new PutItemCommand({ TableName, Item, ...(revision === 0 ? isFirst : isNext) }))
        return true
      } catch (error) {
        if ((error as Error).name === 'ConditionalCheckFailedException') return false
        throw error
      }
    },

    async readEvidence(key) {
      try {
        return JSON.parse((await promisify(gunzip)(await objects.get(key, Number.POSITIVE_INFINITY))).toString('utf8'))
      } catch (error) {
        if (isGone(error) || isHidden(error)) return undefined
        throw error
      }
    },

    async writeEvidence(evidence) {
      const key = `manager/${randomUUID()}.json.gz`
      await objects.put(key, await promisify(gzip)(JSON.stringify(evidence)), Number.POSITIVE_INFINITY)
      return key
    },

    removeEvidence: async (Key) => void (await s3.send(new DeleteObjectCommand({ Bucket, Key }))),
  }
}

/** Who may not list a bucket is told of an object that is not there that it may not be read ("GetObject", Amazon S3 API Reference). */
function isHidden(error: unknown): boolean {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 403
}

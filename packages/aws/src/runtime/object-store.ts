import { FusionizeError } from 'fusionize'
import type { Service } from './service.js'

/** Large values, by key. */
export interface ObjectStore {
  /** @param deadline epoch ms */
  put(key: string, data: string | Uint8Array, deadline: number): Promise<void>
  get(key: string, deadline: number): Promise<Buffer>
}

/** A store whose objects are removed again. */
export interface RemovingStore extends ObjectStore {
  /** Nothing happens when it is not there. */
  remove(key: string, deadline: number): Promise<void>
}

/** @param bucket the app's S3 bucket */
export function objectStore(s3: Service, bucket: string): RemovingStore {
  const ask = (method: 'PUT' | 'GET' | 'DELETE', key: string, deadline: number, body?: string | Uint8Array) =>
    s3.ask({ method, path: [bucket, ...key.split('/')], deadline, body })
  return {
    async put(key, data, deadline) {
      const { status, body } = await ask('PUT', key, deadline, data)
      if (status !== 200) throw refused('kept', key, bucket, status, body)
    },
    async get(key, deadline) {
      const { status, body } = await ask('GET', key, deadline)
      if (status !== 200) throw refused('read', key, bucket, status, body)
      return body
    },
    async remove(key, deadline) {
      const { status, body } = await ask('DELETE', key, deadline)
      if (status >= 300 && status !== 404) throw refused('removed', key, bucket, status, body)
    },
  }
}

function refused(
  verb: 'kept' | 'read' | 'removed',
  key: string,
  bucket: string,
  status: number,
  said: Buffer,
): FusionizeError {
  const why = /<Message>([^<]*)/.exec(said.toString())?.[1] ?? `status ${status}`
  return new FusionizeError(
    'PAYLOAD_TOO_LARGE',
    `a payload larger than a function can be given could not be ${verb} in S3 (${bucket}/${key}): ${why}`,
    { bucket, key, status },
  )
}

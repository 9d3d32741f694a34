import { FusionizeError } from 'fusionize'
import type { Service } from './service.js'

/** Large values, by key. */
export interface ObjectStore {
  /** @param deadline epoch ms */
  put(key: string, data: string | Uint8Array, deadline: number): Promise<void>
  get(key: string, deadline: number): Promise<Buffer>
}

/** @param bucket the app's S3 bucket */
export function objectStore(s3: Service, bucket: string): ObjectStore {
  return {
    async put(key, body, deadline) {
      const { status, body: said } = await s3.ask({ method: 'PUT', path: [bucket, ...key.split('/')], body, deadline })
      if (status !== 200) throw refused('kept', key, bucket, status, said)
    },
    async get(key, deadline) {
      const { status, body } = await s3.ask({ method: 'GET', path: [bucket, ...key.split('/')], deadline })
      if (status !== 200) throw refused('read', key, bucket, status, body)
      return body
    },
  }
}

function refused(verb: string, key: string, bucket: string, status: number, said: Buffer): FusionizeError {
  const why = /<Message>([^<]*)/.exec(said.toString())?.[1] ?? `status ${status}`
  return new FusionizeError(
    'PAYLOAD_TOO_LARGE',
    `a payload larger than a function can be given could not be ${verb} in S3 (${bucket}/${key}): ${why}`,
    { bucket, key, status },
  )
}

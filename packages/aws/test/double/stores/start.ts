import type { AddressInfo } from 'node:net'
import dynalite from 'dynalite'
import { buildApp } from 'fauxqs'

/** The servers that stand for S3, SQS and DynamoDB, as they are. */
export interface Stores {
  /** Addresses. */
  s3AndSqs: string
  dynamodb: string
  close(): Promise<void>
}

export async function startStores(region: string): Promise<Stores> {
  // Its own start would listen on every address of the machine.
  const fauxqs = buildApp({ logger: false, defaultRegion: region })
  const s3AndSqs = await fauxqs.listen({ port: 0, host: '127.0.0.1' })
  const tables = dynalite({ createTableMs: 20, deleteTableMs: 20, updateTableMs: 20 })
  await new Promise<void>((resolve) => tables.listen(0, '127.0.0.1', resolve))
  return {
    s3AndSqs,
    dynamodb: `http://127.0.0.1:${(tables.address() as AddressInfo).port}`,
    close: async () => {
      tables.closeAllConnections()
      await Promise.all([fauxqs.close(), new Promise((resolve) => tables.close(resolve))])
    },
  }
}

import type { Call, Reply, ServiceDouble } from '../gateway/call.js'
import { AwsError } from '../gateway/error.js'
import { forward } from './forward.js'

/** Settings of a bucket that are kept as they were sent, by the name in the query: operation's middle, error where there is none. */
const settings: Record<string, [name: string, missing: string | undefined]> = {
  tagging: ['BucketTagging', 'NoSuchTagSet'],
  lifecycle: ['BucketLifecycleConfiguration', 'NoSuchLifecycleConfiguration'],
  publicAccessBlock: ['PublicAccessBlock', 'NoSuchPublicAccessBlockConfiguration'],
  encryption: ['BucketEncryption', 'ServerSideEncryptionConfigurationNotFoundError'],
  policy: ['BucketPolicy', 'NoSuchBucketPolicy'],
  versioning: ['BucketVersioning', undefined],
  ownershipControls: ['BucketOwnershipControls', 'OwnershipControlsNotFoundError'],
}

/**
 * S3 by `fauxqs`, with the settings of buckets, conditional writes and the list of versions (one of each object), which it lacks.
 * Not imitated: what the settings mean (nothing expires, nothing is encrypted, no policy is enforced), older versions, the list of
 * unfinished uploads, which is empty, what fauxqs lacks.
 */
export class S3Double implements ServiceDouble {
  /** Settings as XML, by bucket. */
  readonly #settings = new Map<string, Map<string, string>>()
  readonly #target: string
  /** Conditional writes of a key come one after the other. */
  readonly #writing = new Map<string, Promise<unknown>>()

  constructor(target: string) {
    this.#target = target
  }

  operationOf({ method, path, query, headers }: Pick<Call, 'method' | 'path' | 'query' | 'headers'>): string {
    const { bucket, key } = placeOf(path)
    if (bucket === '') return 'ListBuckets'
    const setting = Object.keys(settings).find((name) => query.has(name))
    const verb = { GET: 'Get', HEAD: 'Head', PUT: 'Put', DELETE: 'Delete', POST: 'Post' }[method] ?? method
    if (key === '' && setting) return verb + settings[setting]?.[0]
    if (key === '') {
      if (method === 'GET' && query.has('versions')) return 'ListObjectVersions'
      if (method === 'GET' && query.has('uploads')) return 'ListMultipartUploads'
      if (method === 'GET') return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects'
      if (method === 'POST') return 'DeleteObjects'
      return method === 'PUT' ? 'CreateBucket' : `${verb}Bucket`
    }
    if (query.has('uploads')) return 'CreateMultipartUpload'
    if (query.has('uploadId'))
      return method === 'PUT' ? 'UploadPart' : method === 'POST' ? 'CompleteMultipartUpload' : 'AbortMultipartUpload'
    return method === 'PUT' && headers['x-amz-copy-source'] ? 'CopyObject' : `${verb}Object`
  }

  resourcesOf(call: Call): string[] {
    const { bucket, key } = placeOf(call.path)
    if (bucket === '') return []
    if (call.operation !== 'DeleteObjects') return [`arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`]
    return [...call.body.toString('utf8').matchAll(/<Key>(.*?)<\/Key>/g)].map(([, k]) => `arn:aws:s3:::${bucket}/${k}`)
  }

  async handle(call: Call): Promise<Reply> {
    const { bucket, key } = placeOf(call.path)
    const setting = Object.keys(settings).find((name) => call.query.has(name))
    if (key === '' && setting) return this.#setting(call, bucket, setting)
    if (call.operation === 'ListObjectVersions') return this.#versions(call, bucket)
    if (call.operation === 'ListMultipartUploads') return xml('<ListMultipartUploadsResult/>')
    const isConditional = call.operation === 'PutObject' && (call.headers['if-none-match'] || call.headers['if-match'])
    const reply = isConditional ? await this.#conditional(call) : await forward(call, this.#target)
    if (call.operation === 'DeleteBucket' && reply.status < 300) this.#settings.delete(bucket)
    return reply
  }

  async #setting(call: Call, bucket: string, name: string): Promise<Reply> {
    const exists = await forward({ ...call, method: 'HEAD', url: `/${bucket}`, body: Buffer.alloc(0) }, this.#target)
    if (exists.status === 404) throw new AwsError('NoSuchBucket', 404, 'The specified bucket does not exist')
    const kept = this.#settings.get(bucket) ?? new Map<string, string>()
    this.#settings.set(bucket, kept)
    if (call.method === 'PUT') kept.set(name, call.body.toString('utf8'))
    if (call.method === 'DELETE') kept.delete(name)
    if (call.method !== 'GET') return { status: call.method === 'PUT' ? 200 : 204 }
    const missing = settings[name]?.[1]
    const body = kept.get(name)
    if (body === undefined && missing !== undefined) throw new AwsError(missing, 404, `The bucket has no ${name}`)
    return { status: 200, headers: { 'content-type': 'application/xml' }, body: body ?? '<VersioningConfiguration/>' }
  }

  async #versions(call: Call, bucket: string): Promise<Reply> {
    const after = encodeURIComponent(call.query.get('key-marker') ?? '')
    const list = await forward({ ...call, url: `/${bucket}?list-type=2&start-after=${after}` }, this.#target)
    if (list.status !== 200) return list
    const text = String(list.body)
    const keys = [...text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key)
    const isTruncated = text.includes('<IsTruncated>true')
    const versions = keys.map(
      (key) => `<Version><Key>${key}</Key><VersionId>null</VersionId><IsLatest>true</IsLatest></Version>`,
    )
    const next = isTruncated ? `<NextKeyMarker>${keys.at(-1)}</NextKeyMarker>` : ''
    return xml(
      `<ListVersionsResult><IsTruncated>${isTruncated}</IsTruncated>${next}${versions.join('')}</ListVersionsResult>`,
    )
  }

  async #conditional(call: Call): Promise<Reply> {
    const before = this.#writing.get(call.path) ?? Promise.resolve()
    const mine = before.then(async () => {
      const present = await forward(
        { ...call, method: 'HEAD', body: Buffer.alloc(0), headers: lookUp(call) },
        this.#target,
      )
      const etag = present.status === 200 ? present.headers?.etag : undefined
      const wanted = call.headers['if-match']
      if (call.headers['if-none-match'] === '*' && etag !== undefined) throw precondition()
      if (wanted !== undefined && etag === undefined)
        throw new AwsError('NoSuchKey', 404, 'The specified key does not exist.')
      if (wanted !== undefined && etag?.replaceAll('"', '') !== wanted.replaceAll('"', '')) throw precondition()
      return forward(call, this.#target)
    })
    this.#writing.set(
      call.path,
      mine.catch(() => {}),
    )
    return mine
  }
}

function xml(body: string): Reply {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body }
}

function lookUp({ headers }: Call): Call['headers'] {
  return { host: headers.host, authorization: headers.authorization }
}

function precondition(): AwsError {
  return new AwsError('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold')
}

function placeOf(path: string): { bucket: string; key: string } {
  const [, bucket = '', ...rest] = path.split('/')
  return { bucket, key: decodeURIComponent(rest.join('/')) }
}

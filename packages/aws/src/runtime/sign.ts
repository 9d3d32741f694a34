import { createHash, createHmac } from 'node:crypto'

/** Who signs: what Lambda puts into the environment of a function. */
export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | undefined
}

export interface SignRequest {
  method: string
  host: string
  /** As it is sent, each segment URI-encoded. */
  path: string
  query: Record<string, string>
  /** Names in lower case. */
  headers: Record<string, string>
  body: string | Uint8Array
  service: string
  region: string
  /** Epoch ms. */
  now: number
}

/**
 * AWS Signature Version 4 ("Create a signed AWS API request", AWS IAM User Guide).
 * @returns the headers to send, `authorization` among them
 */
export function sign(request: SignRequest, credentials: Credentials): Record<string, string> {
  const stamp = `${new Date(request.now).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
  const day = stamp.slice(0, 8)
  const digest = hash(request.body)
  const headers: Record<string, string> = {
    ...request.headers,
    host: request.host,
    'x-amz-content-sha256': digest,
    'x-amz-date': stamp,
    ...(credentials.sessionToken && { 'x-amz-security-token': credentials.sessionToken }),
  }
  const names = Object.keys(headers).sort()
  const signed = names.join(';')
  const canonical = [
    request.method,
    canonicalPath(request),
    queryText(request.query),
    ...names.map((name) => `${name}:${headers[name]?.trim()}`),
    '',
    signed,
    digest,
  ].join('\n')
  const scope = `${day}/${request.region}/${request.service}/aws4_request`
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hash(canonical)}`
  const signature = hmac(keyOf(credentials.secretAccessKey, day, request), toSign).toString('hex')
  const { accessKeyId } = credentials
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`
  return headers
}

/** Every service but S3 wants the path encoded once more. */
function canonicalPath({ service, path }: SignRequest): string {
  return service === 's3' ? path : path.split('/').map(encode).join('/')
}

/** Sorted, as it is signed and sent. */
export function queryText(query: Record<string, string>): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${encode(name)}=${encode(query[name] as string)}`)
    .join('&')
}

/** RFC 3986: all but the unreserved characters. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** Keys of the day, by service: four digests that a request need not make. */
const keys = new Map<string, Buffer>()

function keyOf(secret: string, day: string, { region, service }: SignRequest): Buffer {
  const name = `${day} ${region} ${service} ${secret}`
  const known = keys.get(name)
  if (known) return known
  const key = ([day, region, service, 'aws4_request'] as const).reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`))
  if (keys.size > 8) keys.clear()
  keys.set(name, key)
  return key
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function hash(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

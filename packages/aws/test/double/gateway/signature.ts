import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Principal, Principals } from '../iam/principals.js'
import { type Service, services } from './call.js'
import { refusal } from './protocols.js'

/** Longest that a signature's time may be from ours, ms. */
const LONGEST_SKEW_MS = 15 * 60_000

interface Signed {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: Buffer
}

interface Scope {
  accessKeyId: string
  date: string
  region: string
  service: string
  signedHeaders: string[]
  signature: string
}

/**
 * Checks a request's Signature Version 4 as services do: known key, its session token, time, scope, every signed header, query and payload.
 * Not imitated: signatures in the query (presigned URLs), SigV4A, the signatures of single chunks of a streamed body.
 *
 * @throws AwsError under the name that the service has for the refusal.
 */
export function authenticate(
  request: Signed,
  principals: Principals,
  region: string,
): { service: Service; principal: Principal } {
  const scope = scopeOf(request.headers.authorization)
  const service = services.find((name) => name === scope?.service)
  if (!scope || !service) throw refusal(service ?? 'lambda', 'unsigned', 'Missing Authentication Token')
  const known = principals.find(scope.accessKeyId)
  const invalid = 'The security token included in the request is invalid.'
  if (!known) throw refusal(service, 'unknown-key', invalid)
  if (known.expired) throw refusal(service, 'expired', 'The security token included in the request is expired')
  if (known.credentials.sessionToken !== request.headers['x-amz-security-token'])
    throw refusal(service, 'unknown-key', invalid)
  const problem = signatureProblem(request, scope, known.credentials.secretAccessKey, region)
  if (problem) throw refusal(service, 'bad-signature', problem)
  return { service, principal: known.principal }
}

/** The service that a request is for; undefined where it does not say. */
export function serviceOf(headers: IncomingHttpHeaders): Service | undefined {
  const scope = scopeOf(headers.authorization)
  return services.find((name) => name === scope?.service)
}

function scopeOf(authorization: string | undefined): Scope | undefined {
  const match = authorization?.match(
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/,
  )
  if (!match) return undefined
  const [, accessKeyId = '', date = '', region = '', service = '', signedHeaders = '', signature = ''] = match
  return { accessKeyId, date, region, service, signedHeaders: signedHeaders.split(';'), signature }
}

function signatureProblem(request: Signed, scope: Scope, secret: string, region: string): string | undefined {
  const { headers, body } = request
  const time = String(headers['x-amz-date'] ?? '')
  if (!/^\d{8}T\d{6}Z$/.test(time) || time.slice(0, 8) !== scope.date) return 'Date in Credential scope does not match'
  if (Math.abs(Date.now() - epochOf(time)) > LONGEST_SKEW_MS) return `Signature expired: ${time} is too far from now`
  // IAM is global and signs for us-east-1.
  if (scope.region !== region && scope.service !== 'iam')
    return `Credential should be scoped to a valid region, not '${scope.region}'`
  if (!scope.signedHeaders.includes('host')) return "'Host' must be a 'SignedHeader' in the AWS Authorization."
  const unsigned = Object.keys(headers).find(
    (name) => name.startsWith('x-amz-') && !scope.signedHeaders.includes(name) && name !== 'x-amz-user-agent',
  )
  if (unsigned) return `The header '${unsigned}' is not signed`
  const declared = headers['x-amz-content-sha256']
  const actual = createHash('sha256').update(body).digest('hex')
  if (typeof declared === 'string' && /^[0-9a-f]{64}$/.test(declared) && declared !== actual)
    return 'The provided x-amz-content-sha256 header does not match what was computed.'
  const text = stringToSign(request, scope, time, typeof declared === 'string' ? declared : actual)
  const expected = createHmac('sha256', signingKey(secret, scope)).update(text).digest()
  if (timingSafeEqual(expected, Buffer.from(scope.signature, 'hex'))) return undefined
  return 'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.'
}

function stringToSign(request: Signed, scope: Scope, time: string, payloadHash: string): string {
  const [path = '', query = ''] = splitUrl(request.url)
  const canonical = [
    request.method,
    scope.service === 's3' ? path : encode(path).replaceAll('%2F', '/'),
    canonicalQuery(query),
    ...scope.signedHeaders.map((name) => `${name}:${headerValue(request.headers[name])}`),
    '',
    scope.signedHeaders.join(';'),
    payloadHash,
  ].join('\n')
  const place = `${scope.date}/${scope.region}/${scope.service}/aws4_request`
  return ['AWS4-HMAC-SHA256', time, place, createHash('sha256').update(canonical).digest('hex')].join('\n')
}

function splitUrl(url: string): [string, string] {
  const at = url.indexOf('?')
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)]
}

function canonicalQuery(query: string): string {
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=')
      const [name, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
      return [encode(decodeURIComponent(name)), encode(decodeURIComponent(value))] as const
    })
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return pairs
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function headerValue(value: string | string[] | undefined): string {
  return String(Array.isArray(value) ? value.join(',') : (value ?? ''))
    .trim()
    .replace(/ +/g, ' ')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

function signingKey(secret: string, { date, region, service }: Scope): Buffer {
  return [date, region, service, 'aws4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${secret}`),
  )
}

function epochOf(time: string): number {
  return Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

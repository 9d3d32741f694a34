import type { Reply, Service } from './call.js'
import { AwsError } from './error.js'

type Protocol = 'rest-json' | 'json' | 'query' | 's3'

const protocols: Record<Service, Protocol> = {
  lambda: 'rest-json',
  scheduler: 'rest-json',
  iam: 'query',
  sts: 'query',
  logs: 'json',
  sqs: 'json',
  dynamodb: 'json',
  s3: 's3',
}

/** Kinds of refusal that every service knows, though not by the same name. */
export type Refusal = 'unknown-key' | 'expired' | 'bad-signature' | 'unsigned' | 'denied' | 'throttled' | 'broken'

const refusals: Record<Refusal, Record<Protocol, [code: string, status: number]>> = {
  'unknown-key': {
    'rest-json': ['UnrecognizedClientException', 403],
    json: ['UnrecognizedClientException', 400],
    query: ['InvalidClientTokenId', 403],
    s3: ['InvalidAccessKeyId', 403],
  },
  expired: {
    'rest-json': ['ExpiredTokenException', 403],
    json: ['ExpiredTokenException', 400],
    query: ['ExpiredToken', 403],
    s3: ['ExpiredToken', 400],
  },
  'bad-signature': {
    'rest-json': ['InvalidSignatureException', 403],
    json: ['InvalidSignatureException', 400],
    query: ['SignatureDoesNotMatch', 403],
    s3: ['SignatureDoesNotMatch', 403],
  },
  unsigned: {
    'rest-json': ['MissingAuthenticationTokenException', 403],
    json: ['MissingAuthenticationTokenException', 400],
    query: ['MissingAuthenticationToken', 403],
    s3: ['AccessDenied', 403],
  },
  denied: {
    'rest-json': ['AccessDeniedException', 403],
    json: ['AccessDeniedException', 400],
    query: ['AccessDenied', 403],
    s3: ['AccessDenied', 403],
  },
  throttled: {
    'rest-json': ['TooManyRequestsException', 429],
    json: ['ThrottlingException', 400],
    query: ['Throttling', 400],
    s3: ['SlowDown', 503],
  },
  broken: {
    'rest-json': ['ServiceException', 500],
    json: ['InternalServerError', 500],
    query: ['ServiceFailure', 500],
    s3: ['InternalError', 500],
  },
}

/** A refusal under the name that the service has for it. */
export function refusal(service: Service, kind: Refusal, message: string): AwsError {
  if (service === 'scheduler' && kind === 'throttled') return new AwsError('ThrottlingException', 429, message)
  const [code, status] = refusals[kind][protocols[service]]
  return new AwsError(code, status, message)
}

/** The error in the service's protocol. */
export function errorReply(service: Service, error: AwsError, requestId: string): Reply {
  const { code, status, message, members } = error
  const fault = status >= 500 ? 'Receiver' : 'Sender'
  switch (protocols[service]) {
    case 'rest-json':
      return {
        status,
        headers: { 'content-type': 'application/json', 'x-amzn-errortype': code, ...error.headers },
        body: JSON.stringify({ Type: fault === 'Sender' ? 'User' : 'Service', ...members, Message: message, message }),
      }
    case 'json':
      return {
        status,
        headers: { 'content-type': 'application/x-amz-json-1.1', ...error.headers },
        body: JSON.stringify({ __type: code, ...members, message }),
      }
    case 'query':
      return {
        status,
        headers: { 'content-type': 'text/xml' },
        body:
          `<ErrorResponse><Error><Type>${fault}</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>` +
          `<RequestId>${requestId}</RequestId></ErrorResponse>`,
      }
    case 's3':
      return {
        status,
        headers: { 'content-type': 'application/xml' },
        body:
          `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${escapeXml(message)}</Message>` +
          `<RequestId>${requestId}</RequestId></Error>`,
      }
  }
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

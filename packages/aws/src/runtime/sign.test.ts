import { expect, it } from 'vitest'
import { encode, queryText, sign } from './sign.js'

// "Examples of the complete Signature Version 4 signing process", Amazon S3 API Reference (AWS's own example keys).
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const s3 = {
  host: 'examplebucket.s3.amazonaws.com',
  query: {},
  headers: {},
  body: '',
  service: 's3',
  region: 'us-east-1',
  now: Date.UTC(2013, 4, 24),
}
const signatureOf = (headers: Record<string, string>) => headers.authorization?.split('Signature=')[1]

it("signs a GET with a header as AWS's example does", () => {
  const headers = sign({ ...s3, method: 'GET', path: '/test.txt', headers: { range: 'bytes=0-9' } }, credentials)
  expect(signatureOf(headers)).toBe('f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41')
})

it("signs a PUT with a body and an encoded path as AWS's example does", () => {
  const given = { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' }
  const request = { ...s3, method: 'PUT', path: '/test%24file.text', headers: given, body: 'Welcome to Amazon S3.' }
  expect(signatureOf(sign(request, credentials))).toBe(
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  )
})

it("signs a query as AWS's example does", () => {
  const listing = sign({ ...s3, method: 'GET', path: '/', query: { prefix: 'J', 'max-keys': '2' } }, credentials)
  expect(signatureOf(listing)).toBe('34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7')
})

it('signs the session token of a role', () => {
  const headers = sign({ ...s3, method: 'GET', path: '/' }, { ...credentials, sessionToken: 'token' })
  expect(headers['x-amz-security-token']).toBe('token')
  expect(headers.authorization).toContain('SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,')
})

it('leaves only the unreserved characters of RFC 3986 as they are', () => {
  expect(encode("a-z_0.9~ !*'()/é")).toBe('a-z_0.9~%20%21%2A%27%28%29%2F%C3%A9')
  expect(queryText({ b: '2', a: ' ' })).toBe('a=%20&b=2')
})

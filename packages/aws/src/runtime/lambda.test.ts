import { expect, it } from 'vitest'
import { answerOf, refusal } from './lambda.js'

const callee = { name: 'fusionize-shop-cart', qualifier: 'live', function: 'cart' }

it('an answer is one unless Lambda says that there is none', () => {
  const answer = { fusionize: 1, ok: true, output: { json: 1 } }
  expect(answerOf(callee, JSON.stringify(answer), false)).toEqual(answer)
  expect(() => answerOf(callee, JSON.stringify(answer), true)).toThrow(
    expect.objectContaining({ code: 'SANDBOX_CRASHED' }),
  )
})

it.each([
  ['{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out after 3.00 seconds"}', 'TIMEOUT'],
  ['{"errorType":"Runtime.ExitError","errorMessage":"Runtime exited with error: signal: killed"}', 'OUT_OF_MEMORY'],
  ['{"errorType":"Runtime.ExitError","errorMessage":"Runtime exited"}', 'SANDBOX_CRASHED'],
  ['not JSON', 'SANDBOX_CRASHED'],
])('%s is the end of a callee: %s', (payload, code) => {
  expect(() => answerOf(callee, payload, true)).toThrow(expect.objectContaining({ code }))
})

it('what answers in other words is another version', () => {
  for (const payload of ['{"fusionize":2}', '7', 'null'])
    expect(() => answerOf(callee, payload, false)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
})

it.each([
  [429, 'QUEUE_FULL', /is throttled: no more; come back later/],
  [404, 'UNKNOWN_TASK', /is not there: no more/],
  [413, 'PAYLOAD_TOO_LARGE', /refused its input: no more/],
  [403, 'UNSUPPORTED', /may not be called from here: no more/],
  [500, 'SANDBOX_CRASHED', /could not be called: no more/],
])('status %i means %s', (status, code, message) => {
  const error = refusal(callee, status, 'Some', 'no more')
  expect([error.code, error.details?.retryAfterMs]).toEqual([code, status === 429 ? 1000 : undefined])
  expect(error.message).toMatch(message)
  expect(error.message).toMatch(/^function 'cart' \(fusionize-shop-cart:live\) /)
})

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type EntriesApp, startEntriesApp } from './support/entries-app.js'

const MB = 1024 * 1024
let app: EntriesApp
let url: string
beforeAll(async () => {
  app = await startEntriesApp({ streaming: true })
  await app.deploy()
  url = await app.url('answer')
}, 300_000)
afterAll(() => app?.stop())

const ask = (query: string) => fetch(`${url}answer?${query}`)

test('bytes come as they are, and more of them than a whole answer may have', async () => {
  const answer = await ask(`bytes=${9 * MB}`)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/octet-stream'])
  expect(answer.headers.get('x-fusionize-session')).toMatch(/^[0-9a-f]{32}$/)
  const bytes = new Uint8Array(await answer.arrayBuffer())
  expect([bytes.length, bytes[0], bytes.at(-1)]).toEqual([9 * MB, 7, 7])
  const words = await ask(`words=${7 * MB}`)
  expect(words.headers.get('content-type')).toBe('application/json')
  expect(await words.json()).toHaveLength(7 * MB)
})

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: "up to 200 MB for streamed responses".
test('what is more than Lambda streams is refused, and says so', async () => {
  const answer = await ask(`bytes=${200 * MB + 1}`)
  expect(answer.status).toBe(413)
  expect(await answer.json()).toMatchObject({ error: { code: 'PAYLOAD_TOO_LARGE', message: /209715200 that Lambda/ } })
})

test('statuses, and answers without content, are those of any entry', async () => {
  expect((await ask('')).status).toBe(204)
  const failed = await ask('fails=no')
  expect([failed.status, await failed.json()]).toMatchObject([500, { error: { message: 'no', name: 'RangeError' } }])
  expect((await fetch(`${url}nothing`)).status).toBe(404)
})

test('what the reply leaves behind goes on after it, and was held', async () => {
  expect((await ask('words=1&noted=later')).status).toBe(200)
  expect(existsSync(join(app.notes, 'later'))).toBe(false)
  expect(app.aws.calls.filter(({ operation }) => operation === 'PutItem')).toHaveLength(1)
  writeFileSync(join(app.notes, 'go'), '')
  await vi.waitFor(() => expect(existsSync(join(app.notes, 'later'))).toBe(true))
  await app.platform.drained()
  expect(app.aws.calls.filter(({ operation }) => operation === 'DeleteItem')).toHaveLength(1)
})

test('the same function answers calls, sends and the sweep as one that does not stream', async () => {
  const { platform } = app
  const query = JSON.stringify({ words: '3' })
  expect(await platform.invoke('answer', query)).toMatchObject({ ok: true, output: '"www"' })
  const failed = await platform.invoke('answer', JSON.stringify({ fails: 'so' }))
  expect(failed).toMatchObject({ ok: false, error: { name: 'RangeError', message: 'so' } })
  // Lambda runs it again as often as it is to, and then gives it up: so it heard of each failure.
  await platform.send('answer', JSON.stringify({ fails: 'always' }))
  await platform.drained()
  expect(await platform.deadLetters()).toMatchObject([{ task: 'answer', attempts: 3, error: { message: 'always' } }])
  for (const name of app.aws.scheduler.schedules.keys()) app.aws.scheduler.fire(name)
  await app.aws.lambda.drained()
  expect(app.aws.scheduler.problems).toEqual([])
  expect(await platform.deadLetters()).toHaveLength(1)
})

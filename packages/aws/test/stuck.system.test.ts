import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { names } from '@fusionize/aws'
import { remoteSetup } from 'fusionize/setup'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type EntriesApp, startEntriesApp } from './support/entries-app.js'

let app: EntriesApp
beforeAll(async () => {
  app = await startEntriesApp()
  await app.deploy(() => {}, remoteSetup)
}, 300_000)
beforeEach(() => rmSync(join(app.notes, 'go'), { force: true }))
afterAll(() => app?.stop())

const name = names.functionName(names.prefixOf('entries'), 'stuck')
const environments = () => app.aws.lambda.environments(name)
const alive = () => environments().map(({ pid }) => pid)
const noted = (file: string) => existsSync(join(app.notes, file))
const open = () => writeFileSync(join(app.notes, 'go'), '')

/** Status and content of the entry's answers, asked for at once. */
async function ask(...queries: string[]): Promise<[number, unknown][]> {
  const url = await app.url('stuck')
  return Promise.all(
    queries.map(async (query) => {
      const answer = await fetch(`${url}stuck?${query}`)
      return [answer.status, await answer.json()] as [number, unknown]
    }),
  )
}
const late = [504, { error: expect.objectContaining({ code: 'TIMEOUT' }) }]
const sound = [200, expect.any(Number)]

test('a run that does not stop when its time is up is answered for, and its environment ends; nobody else notices', async () => {
  const [[, first]] = (await ask('')) as [[number, number]]
  const held = ask('never=1')
  await vi.waitFor(() => expect(environments()).toMatchObject([{ pid: first, phase: 'busy' }]))
  expect(await ask('', '')).toEqual([sound, sound])
  expect(await held).toEqual([late])
  // It is still there, but takes nobody else's.
  for (const [status, pid] of await ask('', '', '', '')) expect([status, pid === first]).toEqual([200, false])
  await vi.waitFor(() => expect(alive()).not.toContain(first))
  const messages = app.aws.logs.messages(names.logGroup(names.prefixOf('entries'), 'stuck')).join('')
  expect(messages).toMatch(/a run did not stop in time: the environment ends/)
})

test('one that stops then keeps its environment', async () => {
  const held = ask('heeds=1')
  const busy = await vi.waitFor(() => {
    const found = environments().find(({ phase }) => phase === 'busy')
    if (!found) throw new Error('none is at work')
    return found
  })
  expect(await held).toEqual([late])
  // It waits for the next request, which one that ends never does.
  await vi.waitFor(() => expect(environments()).toContainEqual({ ...busy, phase: 'idle' }))
})

test('who calls it hears TIMEOUT, and what it has sent elsewhere is done', async () => {
  const answer = await app.platform.invoke('stuck', JSON.stringify({ never: '1', noted: 'sent' }))
  expect(answer).toMatchObject({ ok: false, error: { code: 'TIMEOUT' } })
  open()
  await vi.waitFor(() => expect(noted('sent')).toBe(true))
})

test('a send whose run does not stop is tried again, and then a dead letter', async () => {
  await app.platform.send('stuck', JSON.stringify({ never: '1' }))
  await vi.waitFor(async () => expect(await app.platform.deadLetters()).toHaveLength(1), { timeout: 20_000 })
  expect(await app.platform.deadLetters()).toMatchObject([{ task: 'stuck', attempts: 2, error: { code: 'TIMEOUT' } }])
})

test('work that replies left behind is done, in whatever environment: none that holds any takes other requests', async () => {
  await app.deploy()
  expect(await ask('noted=left')).toEqual([sound])
  const holding = alive()
  expect(await ask('never=1', '')).toEqual([late, sound])
  expect(alive()).toEqual(expect.arrayContaining(holding))
  expect(noted('left')).toBe(false)
  open()
  await vi.waitFor(() => expect(noted('left')).toBe(true))
  expect(await ask('', '')).toEqual([sound, sound])
})

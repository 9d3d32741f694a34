import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createLocalPlatform, type LocalPlatform } from '../dist/index.js'
import { buildApp, codeOf, jsonOf, openGates } from './engine-app.js'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function spinning(options: { isolation?: 'threads' | 'processes' } = {}): Promise<LocalPlatform> {
  const dir = mkdtempSync(join(tmpdir(), 'fusionize-spin-'))
  undo.push(() => rmSync(dir, { recursive: true, force: true }))
  const settings = {
    isolation: 'threads' as const,
    durability: 'none' as const,
    gateway: false,
    spin: true,
    ...options,
  }
  const platform = await createLocalPlatform({ dir, app: 'spin', ...settings })
  undo.push(() => platform.destroy())
  await platform.deploy(await buildApp())
  return platform
}

test('threads that spin answer as others do: alone, many at once, and to each other', async () => {
  const platform = await spinning()
  for (let i = 0; i < 20; i++) expect(jsonOf(await platform.invoke('echo', String(i)))).toBe(i)
  const all = await Promise.all(Array.from({ length: 50 }, (_, i) => platform.invoke('echo', String(i))))
  expect(all.map(jsonOf)).toEqual(all.map((_, i) => i))
  expect(jsonOf(await platform.invoke('loop', '30'))).toBe(30)
  await platform.drained()
})

test('a thread that spins sees its own timers and answers from elsewhere', async () => {
  const gates = await openGates()
  undo.push(() => gates.close())
  const platform = await spinning()
  const arrival = gates.arrival('open')
  const call = platform.invoke('gate', JSON.stringify(gates.url('open')))
  ;(await arrival).open('now')
  expect(jsonOf(await call)).toMatchObject({ said: 'now' })
})

test('one that crashes is replaced', async () => {
  const platform = await spinning()
  for (let i = 0; i < 5; i++) expect(codeOf(await platform.invoke('failing', '"exit"'))).toBe('SANDBOX_CRASHED')
  expect(jsonOf(await platform.invoke('echo', '1'))).toBe(1)
})

test('processes take no notice of it', async () => {
  const platform = await spinning({ isolation: 'processes' })
  expect(jsonOf(await platform.invoke('echo', '1'))).toBe(1)
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { expect, test, vi } from 'vitest'
import { share } from './two-threads.js'

const iterations = 2_000

test('every slice is done once, by one of the two threads', async () => {
  const { own, helped } = await share(40, 0.25, iterations)
  expect(own + helped).toBe(40)
})

test('the helper thread starts only after work that it would have paid for, and then takes its part', async () => {
  // Whoever shared work before in this process has started it.
  vi.resetModules()
  const { share } = await import('./two-threads.js')
  const started: Worker[] = []
  process.on('worker', (worker) => started.push(worker))
  await share(20, 0.1, iterations)
  expect(started).toHaveLength(0)

  await share(1, 60, iterations)
  await share(10, 0.25, iterations)
  expect(started).toHaveLength(1)
  await once(started[0] as Worker, 'online')
  const { own, helped } = await share(2_000, 0.25, iterations)
  expect(own + helped).toBe(2_000)
  expect(helped).toBeGreaterThan(0)
  expect(started).toHaveLength(1)
})

test('other work of the thread goes on between the slices', async () => {
  let turns = 0
  const pump = setInterval(() => turns++, 0)
  await share(200, 0.25, 20_000)
  clearInterval(pump)
  expect(turns).toBeGreaterThan(5)
})

test('jobs that overlap end each with all of its slices', async () => {
  const jobs = await Promise.all(Array.from({ length: 20 }, (_, i) => share(i + 1, 0.25, iterations)))
  expect(jobs.map(({ own, helped }) => own + helped)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
})

test('a process that has nothing else to do ends, and not before its jobs have', async () => {
  const program = `
    import { share } from ${JSON.stringify(new URL('../dist/two-threads.js', import.meta.url).href)}
    await share(1, 60, 100)
    for (let i = 0; i < 20; i++) await share(20, 0.25, ${iterations})
    process.on('exit', () => process.stdout.write('all done'))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  let output = ''
  for await (const chunk of child.stdout) output += chunk
  expect([(await ended)[0], output]).toEqual([0, 'all done'])
})

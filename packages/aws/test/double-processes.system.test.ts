import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { startAws } from './double/index.js'
import { runtimeClient } from './double/runtime/client.js'
import { Deploy } from './support/deploy.js'

const fixture = fileURLToPath(new URL('fixtures/interrupted', import.meta.url))
const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '../vitest.mjs')

function isAlive(pid: number | undefined): boolean {
  try {
    process.kill(pid ?? 0, 0)
    // What waits for its parent to look at its end is dead too.
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

test('nothing is left of an AWS that was closed', async () => {
  const aws = await startAws()
  const deploy = new Deploy(aws)
  await deploy.fn('one', 'export const handler = async ({ ms = 0 }) => new Promise((r) => setTimeout(r, ms))')
  await deploy.invoke('one')
  const busy = deploy.invoke('one', { ms: 2000 }).catch(() => 'broken off')
  await vi.waitFor(() => expect(aws.lambda.environments()).toMatchObject([{ phase: 'busy' }]))
  const pids = aws.lambda.environments().map(({ pid }) => pid)
  const { folder } = aws.lambda
  expect([pids.every(isAlive), existsSync(folder)]).toEqual([true, true])
  await aws.close()
  await busy
  expect([pids.some(isAlive), existsSync(folder)]).toEqual([false, false])
  await expect(fetch(aws.endpoint)).rejects.toThrow()
}, 300_000)

test.each(['SIGINT', 'SIGKILL'] as const)(
  'nothing is left of a test run that %s ended',
  async (signal) => {
    await runtimeClient()
    const scratch = mkdtempSync(join(tmpdir(), 'fusionize-aws-interrupted-'))
    const report = join(scratch, 'report.json')
    const run = spawn(process.execPath, [vitest, 'run', '--root', fixture], {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, REPORT_TO: report },
    })
    try {
      const ended = new Promise((resolve) => run.once('exit', resolve))
      const seen = await vi.waitFor(
        () => JSON.parse(readFileSync(report, 'utf8')) as { pids: number[]; folder: string },
        60_000,
      )
      expect([seen.pids.length, seen.pids.every(isAlive), existsSync(seen.folder)]).toEqual([2, true, true])
      process.kill(-(run.pid ?? 0), signal)
      await ended
      await vi.waitFor(() => expect([seen.pids.filter(isAlive), existsSync(seen.folder)]).toEqual([[], false]), 20_000)
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  },
  300_000,
)

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const program = fileURLToPath(new URL('./fixtures/outbox/platform-process.mjs', import.meta.url))
const KILLS = 25

interface Setting {
  dir: string
  mode: 'load' | 'fill' | 'finish'
  first?: number
  seed?: number
}
type Said = [what: 'accepted' | 'refused' | 'began' | 'ended', id: string, more?: string]

/**
 * Runs the sends of a folder in a process, which is killed as soon as `enough`.
 * @returns all that it said before it died
 */
async function live(setting: Setting, enough: (said: Said[]) => boolean, limit = ''): Promise<Said[]> {
  const argument = JSON.stringify(setting)
  // A limit on the size of files is a full disk that needs no rights to make.
  const child = spawn('/bin/sh', ['-c', `${limit} exec "$0" "$@"`, process.execPath, program, argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const said: Said[] = []
  for await (const line of createInterface(child.stdout)) {
    said.push(line.split(' ') as Said)
    if (!child.killed && enough(said)) child.kill('SIGKILL')
  }
  await closed
  return said
}

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'fusionize-outbox-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

const idsOf = (said: Said[], what: Said[0]) => said.filter((one) => one[0] === what).map(([, id]) => id)

test(`what was accepted before any of ${KILLS} kill -9 in the middle of appends runs, and what was done does not run again`, async () => {
  const dir = newFolder()
  const accepted = new Set<string>()
  const ended = new Set<string>()
  const surelyDone = new Set<string>()
  const again: string[] = []
  let first = 0
  const note = (said: Said[]) => {
    for (const [i, [what, id]] of said.entries()) {
      if (what === 'accepted') accepted.add(id)
      if (what === 'began' && surelyDone.has(id)) again.push(id)
      if (what !== 'ended') continue
      ended.add(id)
      // One batch of at most four may have been on its way to the journal; a later one stands behind the note that this one is done.
      if (idsOf(said.slice(i), 'accepted').length > 8) surelyDone.add(id)
    }
  }
  for (let kill = 1; kill <= KILLS; kill++) {
    const lines = (kill * 37) % 120
    note(await live({ dir, mode: 'load', first, seed: kill }, (said) => idsOf(said, 'accepted').length > lines))
    first = Math.max(first, ...[...accepted].map((id) => Number(id) + 1)) + 4
  }
  expect(accepted.size).toBeGreaterThan(KILLS * 40)
  note(await live({ dir, mode: 'finish' }, () => false))
  expect([...accepted].filter((id) => !ended.has(id))).toEqual([])
  expect(surelyDone.size).toBeGreaterThan(accepted.size / 4)
  expect(again).toEqual([])
  expect(idsOf(await live({ dir, mode: 'finish' }, () => false), 'began')).toEqual([])
})

test('what a full disk refused never runs, and what fits is accepted again', async () => {
  const dir = newFolder()
  const smallFits = (lines: Said[]) => lines.at(-1)?.join(' ') === 'accepted small'
  const said = await live({ dir, mode: 'fill', first: 0 }, smallFits, 'ulimit -f 128;')
  const accepted = idsOf(said, 'accepted')
  const refused = said.filter(([what]) => what === 'refused')
  expect(refused).toEqual([['refused', expect.anything(), 'JOURNAL_FAILED']])
  expect(accepted.length).toBeGreaterThan(3)
  const ran = idsOf(await live({ dir, mode: 'finish' }, () => false), 'ended')
  expect(ran).toEqual(accepted)
  expect(ran).toContain('small')
})

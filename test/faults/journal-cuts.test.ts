import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Build } from '@fusionize/platform'
import { type App, allFusedSetup, remoteSetup } from 'fusionize/setup'
import { expect, onTestFinished, test } from 'vitest'
import { crossed } from '../support/buckets-app.js'
import { localBuilder, startLocal, temporaryFolder } from '../support/local.js'
import { firingsOf, type Note, Notes } from '../support/notes.js'

const fused = (app: App) => allFusedSetup(app, 1769)
const apart = (app: App) => remoteSetup(app, 1769)

test.each([
  ['fused', fused],
  ['fused, their tasks apart', (app: App) => crossed(apart(app), fused(app))],
  ['apart', apart],
] as const)(
  'wherever the journal of a platform that died ends, what one send left to do is done once, with buckets that are %s',
  async (_where, setupOf) => {
    const folder = await temporaryFolder()
    onTestFinished(folder.remove)
    const notes = new Notes(join(folder.path, 'notes'))
    const ledger = join(folder.path, 'ledger')
    const build = await buildOf(setupOf, { LEDGER: ledger, NOTES: notes.file })
    const whole = await run(join(folder.path, 'whole'), build, async ({ platform, journal }) => {
      await platform.send('first', '{"n":1}', { id: 'send-1' })
      await notes.until((all) => all.some(({ task }) => task === 'fourth'))
      await platform.drained()
      return journal()
    })
    const before = notes.all()
    for (const end of endsOf(whole)) {
      const kept = whole.subarray(0, end)
      if (!kept.includes('send-1')) continue
      notes.clear()
      const dir = join(folder.path, `${end}`)
      mkdirSync(dir)
      writeFileSync(join(dir, 'sends-00000001.log'), kept)
      const dead = await run(dir, build, async ({ platform }) => {
        await platform.drained()
        const { buckets } = await platform.status()
        // What no session has yet comes by the clock.
        if (buckets?.some(({ objects }) => objects > 0)) await notes.until((all) => all.some(isTotal))
        await platform.drained()
        return platform.deadLetters()
      })
      expect(dead, `a journal of ${end} bytes`).toEqual([])
      // A firing that the journal knows began before; all others are those of the second platform.
      const known = before.filter(({ invocation }) => kept.includes(`"${invocation}"`))
      const firings = firingsOf([...known, ...notes.all()]).map(({ task, got }) => [task, got])
      expect(firings, `a journal of ${end} bytes`).toEqual(firingsOf(before).map(({ task, got }) => [task, got]))
    }
  },
)

const isTotal = ({ task }: Note) => task === 'fourth'

type Started = Awaited<ReturnType<typeof startLocal>>

async function run<T>(
  dir: string,
  build: Build,
  act: (started: Started & { journal(): Buffer }) => Promise<T>,
): Promise<T> {
  const started = await startLocal('buckets-ledger', {
    dir,
    isolation: 'threads',
    durability: 'journal',
    retries: 3,
    retryDelayMs: 5,
  })
  try {
    await started.platform.deploy(build)
    return await act({ ...started, journal: () => readFileSync(join(dir, 'sends-00000001.log')) })
  } finally {
    await started.stop()
  }
}

/** Where its writes end: an entry begins with the length of what follows eight bytes, and says whether it counts with the next only. */
function endsOf(journal: Buffer): number[] {
  const ends: number[] = []
  for (let at = 0; at < journal.length; ) {
    const marked = journal.readUInt32LE(at)
    at += 8 + (marked % 2 ** 31)
    if (marked < 2 ** 31) ends.push(at)
  }
  return ends
}

async function buildOf(setupOf: (app: App) => ReturnType<typeof fused>, env: Record<string, string>): Promise<Build> {
  const builder = localBuilder(fileURLToPath(new URL('../fixtures/buckets-ledger', import.meta.url)), 'buckets-ledger')
  try {
    return await builder.build(setupOf(await builder.scan()), env)
  } finally {
    await builder.dispose()
  }
}

import { fileURLToPath } from 'node:url'
import { type InvocationRecord, parseRecord } from 'fusionize/record'
import { remoteSetup } from 'fusionize/setup'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AwsBed, startAwsBed } from './support/platform.js'

const MB = 1024

describe('invocations whose sandbox is killed', () => {
  let bed: AwsBed
  let setup: string

  beforeAll(async () => {
    bed = await startAwsBed(fileURLToPath(new URL('fixtures/killed', import.meta.url)), 'killed')
    const build = await bed.builder.build(remoteSetup(await bed.builder.scan(), MB))
    setup = (await bed.platform.deploy(build)).setup
  }, 300_000)
  afterAll(() => bed.stop())

  /** Records of a function, the attempts in order. */
  async function recordsOf(fn: string): Promise<InvocationRecord[]> {
    const { lines } = await bed.platform.records()
    return lines.map(parseRecord).filter((record) => record.function === fn)
  }

  it('are counted, and their failures recorded with what Lambda billed', async () => {
    const { id, session } = await bed.platform.send('dies', '{"until":3}')
    await bed.platform.drained()
    const records = (await recordsOf('dies')).filter(({ invocation }) => invocation === id)
    expect(records.map(({ attempt, spans }) => [attempt, spans[0]?.error])).toEqual([
      [1, 'SANDBOX_CRASHED: Lambda says Runtime.ExitError'],
      [2, 'SANDBOX_CRASHED: Lambda says Runtime.ExitError'],
      [3, undefined],
    ])
    for (const { trace, parent, session: own, ...record } of records) {
      expect([own, trace, parent]).toEqual([session, records[2]?.trace, records[2]?.parent])
      expect(record).toMatchObject({ app: 'killed', setup, task: 'dies', mode: 'send', memory: MB })
      expect(record.wall).toBeGreaterThan(0)
      expect(record.cold).toBeGreaterThan(0)
    }
    const log = bed.aws.logs.messages('/aws/lambda/fusionize-killed-dies').join('')
    expect(log).toContain('"message":"ran"')
    expect(log).toContain('"attempt":3')
  })

  it('are recorded as what was asked for also when every attempt died', async () => {
    const { id, session } = await bed.platform.send('dies', '{"until":9}')
    await bed.platform.drained()
    const records = (await recordsOf('dies')).filter((record) => record.session === session)
    expect(records.map(({ attempt, invocation }) => [attempt, invocation])).toEqual([1, 2, 3].map((n) => [n, id]))
    const letters = await bed.platform.deadLetters()
    expect(letters.find((letter) => letter.id === id)).toMatchObject({
      attempts: 3,
      error: { name: 'Runtime.ExitError' },
    })
  })

  it('are recorded without a caller when nobody can say who it was', async () => {
    const answer = await bed.platform.invoke('dies', '{"until":2}')
    expect(answer.ok).toBe(false)
    const record = (await recordsOf('dies')).find(({ mode }) => mode === 'call')
    expect(record).toMatchObject({ attempt: 1, spans: [{ error: 'SANDBOX_CRASHED: Lambda says Runtime.ExitError' }] })
    expect(record?.session).not.toBe(answer.session)
  })

  it('are recorded when Lambda ended them for the time they took', async () => {
    await bed.platform.send('hangs', 'null')
    await bed.platform.drained()
    const [record, ...others] = await recordsOf('hangs')
    expect(others).toEqual([])
    expect(record?.spans[0]?.error).toMatch(/^TIMEOUT: Lambda ended the sandbox after \d+ ms$/)
    expect(record?.wall).toBeGreaterThan(100)
  })
})

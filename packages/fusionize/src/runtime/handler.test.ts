import { describe, expect, it } from 'vitest'
import { allInline, type Inline, nothingInline, world } from '../../test/world.js'
import { spanId, spanOf } from '../record.js'
import { task } from '../task.js'

const routes: [string, (names: string[]) => (fn: string) => Inline][] = [
  ['inline', allInline],
  ['remote', () => nothingInline],
]

describe.each(routes)('with every route %s', (_name, inlineOf) => {
  it('a call returns the result, a map one result per item in order, and inputs are copies', async () => {
    const double = task('double', async (n: number) => n * 2)
    const spoil = task('spoil', async (box: { n: number }) => {
      box.n = 99
      return box
    })
    const main = task('main', async (n: number) => {
      const box = { n }
      const back = await spoil(box)
      back.n++
      return { sum: await double(n), all: await double.map([1, 2, 3]), box, back }
    })
    const w = world([double, spoil, main], inlineOf(['double', 'spoil']))
    expect(await w.request('main', 4)).toEqual({ sum: 8, all: [2, 4, 6], box: { n: 4 }, back: { n: 100 } })
  })

  it('bytes and nothing travel as they are', async () => {
    const flip = task('flip', async (b: Uint8Array) => b.map((x) => 255 - x))
    const none = task('none', async () => {})
    const main = task('main', async (b: Uint8Array) => {
      expect(await none()).toBeUndefined()
      return flip(b)
    })
    const w = world([flip, none, main], inlineOf(['flip', 'none']))
    expect(await w.request('main', new Uint8Array([0, 1]))).toEqual(new Uint8Array([255, 254]))
  })

  it('an error reaches the caller with name, message, code and cause, but not its class', async () => {
    class Declined extends Error {
      override name = 'Declined'
      code = 'E_CARD'
    }
    const pay = task('pay', async () => {
      throw new Declined('no money', { cause: new RangeError('limit') })
    })
    const main = task('main', async () => {
      try {
        await pay()
        return 'paid'
      } catch (e) {
        const error = e as Declined
        return [error instanceof Declined, error.name, error.message, error.code, String(error.cause)]
      }
    })
    const w = world([pay, main], inlineOf(['pay']))
    expect(await w.request('main')).toEqual([false, 'Declined', 'no money', 'E_CARD', 'RangeError: limit'])
  })

  it('a send runs after the reply, even when the sender fails afterwards', async () => {
    const order: string[] = []
    const mail = task('mail', async (to: string) => {
      order.push(`mail ${to}`)
    })
    const main = task('main', async (fail: boolean) => {
      await mail.send('a')
      await mail.send('b')
      if (fail) throw new Error('after sending')
      return 'ok'
    })
    const w = world([mail, main], inlineOf(['mail']))
    const replied = w.request('main', true).catch((error: Error) => order.push(error.message))
    await replied
    await w.quiet()
    expect(order.filter((x) => x.startsWith('mail'))).toEqual(['mail a', 'mail b'])
    expect(order).toContain('after sending')
  })

  it('a send that fails never reaches the sender, and is reported', async () => {
    const bad = task('bad', async () => {
      throw new TypeError('broken')
    })
    const main = task('main', async () => {
      await bad.send()
      return 'fine'
    })
    const w = world([bad, main], inlineOf(['bad']))
    expect(await w.request('main')).toBe('fine')
    await w.quiet()
    expect(w.failedSends.map((f) => String(f.error))).toEqual(['TypeError: broken'])
  })

  it('recursion and cycles of calls end where they should', async () => {
    interface Down {
      n: number
    }
    const even = task('even', async (x: Down): Promise<boolean> => (x.n === 0 ? true : odd({ n: x.n - 1 })))
    const odd = task('odd', async (x: Down): Promise<boolean> => (x.n === 0 ? false : even({ n: x.n - 1 })))
    const fib = task('fib', async (n: number): Promise<number> => {
      if (n < 2) return n
      const [a, b] = await Promise.all([fib(n - 1), fib(n - 2)])
      return a + b
    })
    const w = world([even, odd, fib], inlineOf(['even', 'odd', 'fib']))
    expect(await w.request('even', { n: 7 })).toBe(false)
    expect(await w.request('fib', 10)).toBe(55)
  })

  it('session, attempt and deadline reach every task; ids of runs are the same on every route and in a retry', async () => {
    const seen: Record<string, string[]> = {}
    const note = (where: string, c: { session: string; invocation: string; attempt: number }) => {
      seen[where] ??= []
      seen[where].push(c.invocation)
      expect(c.session).toBe('s-1')
    }
    const leaf = task('leaf', async (n: number, c) => {
      note(`leaf-${n}`, c)
      expect(c.deadline).toBeGreaterThan(Date.now())
    })
    const mid = task('mid', async (n: number, c) => {
      note(`mid-${n}`, c)
      await leaf(n)
      await leaf.send(n + 10)
    })
    const main = task('main', async () => {
      await Promise.all([mid(1), mid(2)])
    })
    const w = world([leaf, mid, main], inlineOf(['leaf', 'mid']))
    for (const attempt of [1, 2]) {
      await w.request('main', undefined, { id: 'r', session: 's-1', attempt })
      await w.quiet()
    }
    expect(Object.keys(seen).sort()).toEqual(['leaf-1', 'leaf-11', 'leaf-12', 'leaf-2', 'mid-1', 'mid-2'])
    for (const ids of Object.values(seen)) expect(new Set(ids).size).toBe(1)
    expect(seen['mid-1']).toEqual(['r.1', 'r.1'])
    expect(seen['leaf-1']).toEqual(['r.1.1', 'r.1.1'])
    expect(seen['leaf-11']?.[0]).toMatch(/^r\.1\.2\.[0-9a-f]{16}$/)
  })

  it('cancelling an invocation aborts the signal of everything that it waits for', async () => {
    let aborted = 0
    let ready = () => {}
    const waiting = new Promise<void>((resolve) => {
      ready = resolve
    })
    const wait = task('wait', async (_: string, c) => {
      ready()
      await new Promise<void>((resolve) => c.signal.addEventListener('abort', () => resolve()))
      aborted++
      throw c.signal.reason
    })
    const main = task('main', async () => wait('x'))
    const w = world([wait, main], inlineOf(['wait']))
    const reply = w.request('main', undefined, { id: 'r' })
    await waiting
    w.cancel('r', 'cancelled')
    await expect(reply).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(aborted).toBe(1)
  })

  it('records tell one story: every span closed, parents linked, modes and routes as taken', async () => {
    const leaf = task('leaf', async (s: string) => s.toUpperCase())
    const side = task('side', async (s: string) => void (await leaf(s)))
    const main = task('main', async () => {
      await side.send('later')
      return leaf.map(['a', 'b'])
    })
    const w = world([leaf, side, main], inlineOf(['leaf', 'side']))
    await w.request('main')
    await w.quiet()
    const spans = w.records.flatMap((r) => r.spans.map((s, i) => ({ ...s, id: spanId(r.span, i), record: r })))
    for (const span of spans) {
      expect(span.end).toBeGreaterThanOrEqual(span.start)
      expect(span.error).toBeUndefined()
      const parent = span.parent >= 0 ? span.record.spans[span.parent] : undefined
      if (span.parent === -1 && span.record.parent !== null) {
        const { root, index } = spanOf(span.record.parent)
        const caller = w.records.find((r) => r.span === root)
        expect(caller?.spans[index]?.task).toBe(span.task)
        expect(caller?.spans[index]?.route).toBe('remote')
      } else if (parent) expect(['main', 'side']).toContain(parent.task)
    }
    const runs = spans
      .filter((s) => s.route === 'inline')
      .map((s) => `${s.task} ${s.parent === -1 && s.record.parent ? '' : s.mode}`.trim())
    expect(runs.filter((r) => r.startsWith('leaf')).length).toBe(3)
    expect(runs.filter((r) => r.startsWith('side')).length).toBe(1)
    expect(w.records.every((r) => r.wall >= r.reply && r.trace === 'a'.repeat(32))).toBe(true)
    expect(w.records.some((r) => r.cpu !== undefined)).toBe(true)
  })

  it('records of a function with many tasks name those that ran', async () => {
    const tasks = Array.from({ length: 40 }, (_, i) => task(`t${i}`, async (n: number) => n + i))
    const main = task('main', async () => [await tasks[30]?.(1), await tasks[3]?.(1), await tasks[30]?.(2)])
    const w = world([...tasks, main], allInline(tasks.map(({ taskName }) => taskName)))
    expect(await w.request('main')).toEqual([31, 4, 32])
    await w.quiet()
    expect(w.records.map(({ spans }) => spans.map((span) => span.task))).toEqual([['main', 't30', 't3', 't30']])
  })
})

describe('the fusion handler', () => {
  it('answers first, sees inline sends held outside next, and only then runs them', async () => {
    const ran: string[] = []
    const side = task('side', async (n: number) => {
      ran.push(`side ${n}`)
    })
    const main = task('main', async () => {
      await side.send(1)
      ran.push('main ends')
    })
    const w = world([side, main], allInline(['side']))
    const reply = w.request('main').then(() => {
      expect(ran).toEqual(['main ends'])
    })
    await reply
    await w.quiet()
    expect(ran).toEqual(['main ends', 'side 1'])
    expect(w.events.slice(0, 2)).toEqual(['reply main', 'hold side'])
  })

  it('does not run a held send that the platform knows from an earlier attempt', async () => {
    let ran = 0
    const side = task('side', async () => void ran++)
    const main = task('main', async () => side.send())
    const known = new Set<string>()
    const w = world([side, main], allInline(['side']), { known })
    await w.request('main', undefined, { id: 'r' })
    await w.quiet()
    known.add((w.events.find((e) => e.startsWith('settled')) as string).slice('settled '.length))
    await w.request('main', undefined, { id: 'r', attempt: 2 })
    await w.quiet()
    expect(ran).toBe(1)
  })

  it('holds what held sends leave behind before it reports them as settled', async () => {
    const ran: string[] = []
    const last = task('last', async () => void ran.push('last'))
    const first = task('first', async () => {
      await last.send()
      ran.push('first')
    })
    const main = task('main', async () => first.send())
    const w = world([last, first, main], allInline(['first', 'last']))
    await w.request('main')
    await w.quiet()
    expect(ran).toEqual(['first', 'last'])
    expect(w.events.map((e) => e.split(' ')[0])).toEqual(['reply', 'hold', 'settled', 'hold', 'settled'])
  })

  it('gives an inline task its own time limit, as its function would', async () => {
    const slow = task('slow', { timeout: 20 }, async (_: string, c) => {
      await new Promise<void>((resolve) => c.signal.addEventListener('abort', () => resolve()))
    })
    const main = task('main', async () => {
      try {
        await slow('x')
      } catch (e) {
        return (e as Error).message
      }
      return 'no error'
    })
    const w = world([slow, main], allInline(['slow']))
    expect(await w.request('main')).toBe(
      "task 'slow' did not finish within 20 ms; raise its timeout option or make it faster",
    )
  })

  it('tells a task that its limit is over by the signal that it had from the start, called or sent', async () => {
    const told: string[] = []
    const stuck = task('stuck', { timeout: 10 }, async (how: string, { signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      told.push(`${how}: ${signal.reason.code}`)
    })
    const main = task('main', async () => {
      await stuck.send('sent')
      await stuck('called').catch(() => {})
    })
    const w = world([stuck, main], allInline(['stuck']))
    await w.request('main')
    await w.quiet()
    expect(told).toEqual(['called: TIMEOUT', 'sent: TIMEOUT'])
  })

  it('ends a held send at its limit', async () => {
    const stuck = task('stuck', { timeout: 10 }, async () => new Promise<void>(() => {}))
    const main = task('main', async () => stuck.send())
    const w = world([stuck, main], allInline(['stuck']))
    await w.request('main')
    await w.quiet()
    expect(w.failedSends).toMatchObject([{ error: { code: 'TIMEOUT' } }])
  })

  it('checks input from outside against the schema and names the field', async () => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) =>
          typeof (value as { n?: unknown })?.n === 'number'
            ? { value: value as { n: number } }
            : {
                issues: [
                  { message: 'must be a number', path: ['n'] },
                  { message: 'odd', path: ['list', 2, { key: 'x' }] },
                ],
              },
        types: undefined as { input: { n: number }; output: { n: number } } | undefined,
      },
    }
    const checked = task('checked', { input: schema }, async (input) => input.n)
    const inner = task('inner', async () => checked({ n: 3 }))
    const w = world([checked, inner], allInline(['checked']))
    expect(await w.request('checked', { n: 2 })).toBe(2)
    expect(await w.request('inner')).toBe(3)
    await expect(w.request('checked', { n: 'x' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: "the input of task 'checked' is not valid at n: must be a number (and 1 more)",
      details: {
        issues: [
          { path: 'n', message: 'must be a number' },
          { path: 'list[2].x', message: 'odd' },
        ],
      },
    })
  })

  it('runs concurrent requests in one sandbox without mixing their sessions', async () => {
    const who = task('who', async (_: string, c) => c.session)
    const main = task('main', async (n: number) => {
      const answers: string[] = []
      for (let i = 0; i < n; i++) {
        await new Promise((resolve) => setImmediate(resolve))
        answers.push(await who('?'))
      }
      return answers
    })
    const w = world([who, main], allInline(['who']), { leaves: ['who'] })
    const sessions = Array.from({ length: 20 }, (_, i) => `s${i}`)
    const answers = await Promise.all(sessions.map((session) => w.request('main', 5, { session, id: session })))
    expect(answers).toEqual(sessions.map((s) => Array(5).fill(s)))
    expect(Math.max(...w.records.map((r) => r.concurrent))).toBe(20)
  })

  it('goes on with what the task did not await, and is done only then', async () => {
    const steps: string[] = []
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const last = task('last', async () => void steps.push('last'))
    const floating = task('floating', async () => {
      await gate
      await last.send()
      steps.push('floating')
    })
    const main = task('main', async () => {
      void floating()
      return 'early'
    })
    const w = world([floating, last, main], allInline(['floating', 'last']))
    expect(await w.request('main')).toBe('early')
    expect(w.records).toHaveLength(0)
    release()
    await w.quiet()
    expect(steps.sort()).toEqual(['floating', 'last'])
  })

  it('counts what follows from a call that was not awaited as part of the invocation', async () => {
    const steps: string[] = []
    const last = task('last', async () => void steps.push('last'))
    const floating = task('floating', async () => new Promise<void>((resolve) => setImmediate(resolve)))
    const main = task('main', async () => {
      const after = async () => {
        await floating()
        await last()
        await last.send()
      }
      void after()
      return 'early'
    })
    for (const inlineOf of [allInline(['floating', 'last']), nothingInline]) {
      const w = world([floating, last, main], inlineOf)
      expect(await w.request('main')).toBe('early')
      await w.quiet()
      expect(steps.splice(0)).toEqual(['last', 'last'])
      const record = w.records.find((r) => r.function === 'main' && r.mode === 'call')
      expect(record?.spans.map((span) => span.task)).toEqual(['main', 'floating', 'last', 'last'])
    }
  })

  it('lets a task go on after its invocation is over, reported once', async () => {
    const leaf = task('leaf', async (n: number) => n + 1)
    let resume = () => {}
    let late: Promise<unknown> = Promise.resolve()
    const main = task('main', async () => {
      const gate = new Promise<void>((resolve) => {
        resume = resolve
      })
      late = gate.then(async () => {
        await leaf.send(5)
        return leaf(1)
      })
    })
    const w = world([leaf, main], allInline(['leaf']))
    await w.request('main')
    await w.quiet()
    resume()
    expect(await late).toBe(2)
    await w.quiet()
    expect(w.records.map((r) => r.task).sort()).toEqual(['leaf', 'main'])
  })

  it('takes any number of calls at once without a warning of Node', async () => {
    const warnings: Error[] = []
    const warn = (warning: Error) => warnings.push(warning)
    process.on('warning', warn)
    const leaf = task('leaf', { timeout: 5000 }, async (n: number) => n)
    const main = task('main', async () => leaf.map(Array.from({ length: 20 }, (_, i) => i)))
    for (const inlineOf of [allInline(['leaf']), nothingInline]) await world([leaf, main], inlineOf).request('main')
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', warn)
    expect(warnings).toEqual([])
  })

  it('in development reports a task that changes its input or returns what does not survive the wire', async () => {
    const spoil = task('spoil', async (x: { n: number }) => {
      x.n = 2
    })
    const dated = task('dated', async () => ({ at: new Date(0) as unknown as string }))
    const main = task('main', async () => {
      await spoil({ n: 1 })
      await spoil({ n: 1 })
      await dated()
    })
    const w = world([spoil, dated, main], allInline(['spoil', 'dated']), { dev: true })
    await w.request('main')
    expect(w.logs.map((l) => [l.level, l.message])).toEqual([
      ['warn', "task 'spoil' changes its input; callers never see that: return a changed copy"],
      [
        'warn',
        "task 'dated' returns something that does not survive the wire: its result.at is a Date and arrives as plain JSON",
      ],
    ])
  })

  it('answers with an error when it is asked for a task that it does not have', async () => {
    const main = task('main', async () => 1)
    const w = world([main], nothingInline)
    await expect(w.request('other')).rejects.toMatchObject({ code: 'UNKNOWN_TASK' })
  })

  it('logs through the context with task and session', async () => {
    const main = task('main', async (_: string, c) => c.log.info('hello', { a: 1 }))
    const w = world([main], nothingInline)
    await w.request('main', 'x', { session: 's9' })
    expect(w.logs).toMatchObject([{ level: 'info', task: 'main', session: 's9', message: 'hello', data: '{"a":1}' }])
  })
})

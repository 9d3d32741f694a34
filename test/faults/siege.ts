import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { LocalPlatformOptions } from '@fusionize/local'
import type { Build } from '@fusionize/platform'
import type { Ledger } from './ledger.js'

export interface SiegeOptions {
  platform: Partial<LocalPlatformOptions> & { dir: string; app: string }
  /** Each platform deploys the next of them. */
  builds: Build[]
  ledger: Ledger
  sends: number
  /** `invoke`: calls that are answered, instead of sends that are accepted; what fails is asked again in a session of its own. @default 'send' */
  how?: 'send' | 'invoke'
  /** Resolves when all that is to come from timers has come. */
  settled?: () => Promise<unknown>
  /** What is killed, in this order. Each at a moment given by an acknowledgement. */
  kills: Target[]
  /** How many acknowledgements lie between two kills. */
  gap: () => number
}

export type Target = 'sandbox' | 'platform'

export interface SiegeReport {
  kills: Record<Target, number>
  /** Kills that took with them work which was acknowledged and had not ended. */
  hits: number
  dead: number
  /** Sessions of the requests that were acknowledged. */
  sessions: string[]
}

interface Answer {
  ask: string
  n: number
  session: string
  error?: string
}

/** Sends whose last task has not ended, at most: so that kills come while the work goes on, not before. */
const unfinishedAtMost = 30

/**
 * Sends to a platform that is killed again and again, and started again on the same folder. What was not acknowledged is sent again
 * with the same id, as a client would. Ends when everything is acknowledged and nothing is left to run.
 */
export async function siege(options: SiegeOptions): Promise<SiegeReport> {
  const { ledger, sends, builds } = options
  const plan = [...options.kills]
  const report: SiegeReport = { kills: { sandbox: 0, platform: 0 }, hits: 0, dead: 0, sessions: [] }
  const acknowledged = new Set<number>()
  let untilKill = options.gap()
  let sessions = 0

  for (let starts = 0; ; starts++) {
    const host = await start(options, builds[starts % builds.length] as Build)
    const died = once(host, 'exit')
    const survived = await Promise.race([attack(host), died.then(() => false)])
    if (!survived) continue
    await ask(host, 'drain')
    await options.settled?.()
    report.dead = ((await ask(host, 'drain')) as { dead: number }).dead
    await ask(host, 'stop')
    await died
    ledger.read()
    return report
  }

  /** Resolves when all sends are acknowledged and all kills done; never when the platform dies before. */
  async function attack(host: ChildProcess): Promise<true> {
    const waiting = Array.from({ length: sends }, (_, n) => n).filter((n) => !acknowledged.has(n))
    const asked = new Set(acknowledged)
    let watcher: { close(): void } | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        const goOn = () => {
          if (host.killed) return
          ledger.read()
          if (untilKill <= 0 && plan.length > 0 && strike(host, plan[0] as Target)) {
            plan.shift()
            untilKill = options.gap()
            if (host.killed) return
          }
          const ended = ledger.ended('third')
          let unfinished = 0
          for (const n of asked) if (!ended.has(n)) unfinished++
          for (; unfinished < unfinishedAtMost && waiting.length > 0; unfinished++) {
            const n = waiting.shift() as number
            asked.add(n)
            host.send({ ask: options.how ?? 'send', n, session: `${n}-${sessions++}` })
          }
          // Kills that are left when nothing is under way any more hit nobody.
          if (acknowledged.size === sends && (plan.length === 0 || unfinished === 0)) resolve()
        }
        host.on('exit', () => watcher?.close())
        host.on('message', ({ ask, n, session, error }: Answer) => {
          if (ask === 'send' && error) return reject(new Error(`send ${n} was refused: ${error}`))
          if (ask === 'invoke' && error) {
            asked.delete(n)
            waiting.push(n)
          } else if (ask === 'send' || ask === 'invoke') {
            acknowledged.add(n)
            report.sessions.push(session)
            untilKill--
          } else return
          goOn()
        })
        watcher = ledger.watch(goOn)
        goOn()
      })
    } finally {
      watcher?.close()
    }
    return true
  }

  function strike(host: ChildProcess, target: Target): boolean {
    if (target === 'platform') {
      const ended = ledger.ended('third')
      if ([...acknowledged].some((n) => !ended.has(n))) report.hits++
      host.kill('SIGKILL')
    } else {
      const mine = childrenOf(host.pid as number)
      const busy = [...ledger.underWay].find(
        ([pid, open]) => mine.has(pid) && [...open.values()].some((n) => acknowledged.has(n)),
      )
      if (!busy) return false
      report.hits++
      process.kill(busy[0], 'SIGKILL')
      // It is gone; that it does not end what it began must not make it a target again.
      ledger.underWay.delete(busy[0])
    }
    report.kills[target]++
    return true
  }
}

async function start({ platform }: SiegeOptions, build: Build): Promise<ChildProcess> {
  const what = JSON.stringify({ options: platform, build })
  const host = fork(fileURLToPath(new URL('./host.mjs', import.meta.url)), [what], { execArgv: [] })
  const [ready] = (await Promise.race([once(host, 'message'), once(host, 'exit')])) as [{ ask?: string }]
  if (ready?.ask !== 'ready') throw new Error('the platform did not start')
  return host
}

async function ask(host: ChildProcess, what: 'drain' | 'stop'): Promise<unknown> {
  const answered = new Promise<{ value: unknown; error?: string }>((resolve) => {
    host.on('message', (answer: { ask: string; value: unknown; error?: string }) => {
      if (answer.ask === what) resolve(answer)
    })
  })
  host.send({ ask: what })
  const { value, error } = await answered
  if (error) throw new Error(error)
  return value
}

/** The sandboxes of a platform's process. Only these may be killed: a number in the ledger may be another's by now. */
function childrenOf(pid: number): Set<number> {
  const list = `/proc/${pid}/task/${pid}/children`
  const text = existsSync(list) ? readFileSync(list, 'utf8') : execFileSync('pgrep', ['-P', String(pid)]).toString()
  return new Set(text.split(/\s+/).filter(Boolean).map(Number))
}

import { readdirSync, readFileSync } from 'node:fs'
import type { Facts } from '@fusionize/platform'
import type { ManagementCost } from './outcome.js'

export type Part = 'monitor' | 'optimizer' | 'deployer'

/** Adds up what the management itself costs (METRICS): CPU of this process and of its bundler, and bytes, by part. */
export class Meter {
  readonly #spent: Record<Part, { cpuMs: number; bytes: number }> = {
    monitor: { cpuMs: 0, bytes: 0 },
    optimizer: { cpuMs: 0, bytes: 0 },
    deployer: { cpuMs: 0, bytes: 0 },
  }

  /** Runs `work` on the account of `part`. Only one part runs at a time, and no load runs beside it. */
  async charge<T>(part: Part, work: () => T | Promise<T>): Promise<T> {
    const before = cpuMs()
    try {
      return await work()
    } finally {
      this.#spent[part].cpuMs += cpuMs() - before
    }
  }

  addBytes(part: Part, bytes: number): void {
    this.#spent[part].bytes += bytes
  }

  /** USD: a CPU second is a second of the memory that comes with one core. */
  cost(part: Part, facts: Facts): ManagementCost {
    const { cpuMs, bytes } = this.#spent[part]
    const cpuSeconds = cpuMs / 1000
    return { cpuSeconds, bytes, usd: (cpuSeconds * facts.mbPerCore * facts.prices.perGbSecond) / 1024 }
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000 + bundlerCpuMs()
}

const TICKS_PER_SECOND = 100

/** esbuild works in a child process that lives on, so the system does not add its time to ours. 0 where /proc does not tell. */
function bundlerCpuMs(): number {
  try {
    let ticks = 0
    for (const task of readdirSync('/proc/self/task')) {
      const children = readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean)
      for (const child of children) {
        const stat = readFileSync(`/proc/${child}/stat`, 'utf8')
        if (!stat.includes('(esbuild)')) continue
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        ticks += Number(fields[11]) + Number(fields[12])
      }
    }
    return (ticks * 1000) / TICKS_PER_SECOND
  } catch {
    return 0
  }
}

export function sum(costs: readonly ManagementCost[]): ManagementCost {
  const total = { cpuSeconds: 0, bytes: 0, usd: 0 }
  for (const cost of costs) {
    total.cpuSeconds += cost.cpuSeconds
    total.bytes += cost.bytes
    total.usd += cost.usd
  }
  return total
}

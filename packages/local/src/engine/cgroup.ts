import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { mbPerCore } from '../prices.js'

const PREFIX = 'fusionize-'

/** Of quotas, ms. */
export const PERIOD_MS = 20

/**
 * The CPU time of a sandbox: `quotaUs` in every `periodUs`, in proportion to memory (1769 MB = one core, as on AWS Lambda). The
 * period is short, so that a small sandbox is slowed down evenly instead of being stopped for long; the kernel's least quota is 1 ms.
 */
export function cpuQuota(memoryMb: number): { quotaUs: number; periodUs: number } {
  const share = memoryMb / mbPerCore
  const periodUs = Math.max(1000 * PERIOD_MS, Math.ceil(1000 / share))
  return { quotaUs: Math.round(share * periodUs), periodUs }
}

/** The control group of one sandbox. */
export interface ResourceGroup {
  limitCpu(memoryMb: number): void
  /** Whether the kernel killed something in it for want of memory. */
  oomKilled(): boolean
  remove(): void
}

/** Where sandboxes are held to their memory and CPU share, or why they are not. */
export interface ResourceGroups {
  readonly enforced: boolean
  /** For the user; empty when enforced. */
  readonly reason: string
  /** Puts the process into a group of its own, memory limited, CPU not yet. */
  add(name: string, pid: number, memoryMb: number): ResourceGroup | undefined
  /** Removes the groups; every process in them must have ended. */
  close(): void
}

/** No limits, for the reason given. */
export function unlimited(reason: string): ResourceGroups {
  return { enforced: false, reason, add: () => undefined, close: () => {} }
}

let instances = 0

/**
 * Opens the groups of this platform instance, after removing what instances that are gone left behind (their processes are killed).
 * @param root where control groups are mounted
 */
export function openGroups(root = '/sys/fs/cgroup'): ResourceGroups {
  if (process.platform !== 'linux') return unlimited('CPU shares need control groups, which only Linux has')
  const name = `${PREFIX}${process.pid}-${instances++}`
  try {
    if (existsSync(join(root, 'cgroup.controllers'))) return openV2(root, name)
    return openV1(root, name)
  } catch (error) {
    return unlimited(
      `CPU shares need writable control groups, and ${root} refuses them (${(error as Error).message}); run as root, or delegate one`,
    )
  }
}

function openV1(root: string, name: string): ResourceGroups {
  const parents = { cpu: join(root, 'cpu', name), memory: join(root, 'memory', name) }
  for (const parent of Object.values(parents)) {
    sweep(dirname(parent))
    mkdirSync(parent)
  }
  readFileSync(join(parents.cpu, 'cpu.cfs_quota_us'))
  return {
    enforced: true,
    reason: '',
    add(sandbox, pid, memoryMb) {
      const cpu = join(parents.cpu, sandbox)
      const memory = join(parents.memory, sandbox)
      return tried(() => {
        mkdirSync(cpu)
        mkdirSync(memory)
        write(memory, 'memory.limit_in_bytes', memoryMb * 2 ** 20)
        write(memory, 'cgroup.procs', pid)
        write(cpu, 'cgroup.procs', pid)
        return {
          limitCpu(mb) {
            const { quotaUs, periodUs } = cpuQuota(mb)
            tried(() => {
              write(cpu, 'cpu.cfs_period_us', periodUs)
              write(cpu, 'cpu.cfs_quota_us', quotaUs)
            })
          },
          oomKilled: () => (tried(() => field(memory, 'memory.oom_control', 'oom_kill')) ?? 0) > 0,
          remove: () => {
            removeGroup(cpu)
            removeGroup(memory)
          },
        }
      })
    },
    close: () => {
      for (const parent of Object.values(parents)) removeTree(parent)
    },
  }
}

function openV2(root: string, name: string): ResourceGroups {
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/'
  // A group with processes in it cannot hand controllers down, unless it is the root: then a sibling of ours may.
  const bases = [own, dirname(own), '/'].map((path) => join(root, path))
  let refusal: unknown
  for (const base of bases) {
    const parent = join(base, name)
    try {
      write(base, 'cgroup.subtree_control', '+cpu +memory')
      sweep(base)
      mkdirSync(parent)
      write(parent, 'cgroup.subtree_control', '+cpu +memory')
      return groupsV2(parent)
    } catch (error) {
      refusal = error
      removeGroup(parent)
    }
  }
  throw refusal
}

function groupsV2(parent: string): ResourceGroups {
  return {
    enforced: true,
    reason: '',
    add(sandbox, pid, memoryMb) {
      const group = join(parent, sandbox)
      return tried(() => {
        mkdirSync(group)
        write(group, 'memory.max', memoryMb * 2 ** 20)
        write(group, 'cgroup.procs', pid)
        return {
          limitCpu(mb) {
            const { quotaUs, periodUs } = cpuQuota(mb)
            tried(() => write(group, 'cpu.max', `${quotaUs} ${periodUs}`))
          },
          oomKilled: () => (tried(() => field(group, 'memory.events', 'oom_kill')) ?? 0) > 0,
          remove: () => removeGroup(group),
        }
      })
    },
    close: () => removeTree(parent),
  }
}

/** Removes the groups of platform instances whose process is gone; what still runs in them is nobody's and is killed. */
function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-\\d+$`).exec(name)?.[1]
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue
    const parent = join(base, name)
    for (const sandbox of tried(() => readdirSync(parent, { withFileTypes: true })) ?? [])
      if (sandbox.isDirectory())
        for (const orphan of (tried(() => readFileSync(join(parent, sandbox.name, 'cgroup.procs'), 'utf8')) ?? '')
          .split('\n')
          .filter(Boolean))
          tried(() => process.kill(Number(orphan), 'SIGKILL'))
    removeTree(parent)
  }
}

function removeTree(parent: string): void {
  for (const entry of tried(() => readdirSync(parent, { withFileTypes: true })) ?? [])
    if (entry.isDirectory()) removeGroup(join(parent, entry.name))
  removeGroup(parent)
}

/** A group stays busy for a moment after its last process ended; what cannot go now goes with the parent or the next sweep. */
function removeGroup(group: string): void {
  tried(() => rmdirSync(group))
}

function write(group: string, file: string, value: number | string): void {
  writeFileSync(join(group, file), String(value))
}

function field(group: string, file: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(readFileSync(join(group, file), 'utf8'))?.[1] ?? 0)
}

function tried<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

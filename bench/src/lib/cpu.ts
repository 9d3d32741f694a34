import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Clock ticks of /proc per second; the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** Starts to watch the machine; the result says which share of its CPU was busy since, whoever used it. */
export function watchCpu(): () => number {
  const before = cpuTimes()
  return () => {
    const after = cpuTimes()
    return after.all === before.all ? 0 : (after.busy - before.busy) / (after.all - before.all)
  }
}

/** CPU ms of this process and of all that it started, ended ones included; NaN where /proc does not tell. */
export function ownCpuMs(): number {
  try {
    return (ticksOf(String(process.pid)) * 1000) / TICKS_PER_SECOND
  } catch {
    return Number.NaN
  }
}

function ticksOf(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // utime, stime, and those of children that were waited for
  let ticks = [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0)
  for (const thread of readdirSync(`/proc/${pid}/task`))
    for (const child of readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean))
      ticks += ticksOrGone(child)
  return ticks
}

/** A process may end while it is being looked at; then it counts with its parent. */
function ticksOrGone(pid: string): number {
  try {
    return ticksOf(pid)
  } catch {
    return 0
  }
}

function cpuTimes(): { busy: number; all: number } {
  let busy = 0
  let all = 0
  for (const { times } of cpus()) {
    const used = times.user + times.nice + times.sys + times.irq
    busy += used
    all += used + times.idle
  }
  return { busy, all }
}

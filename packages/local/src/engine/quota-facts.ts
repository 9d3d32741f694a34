import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { gunzipSync } from 'node:zlib'
import type { CpuQuota } from '@fusionize/platform'
import { cpuQuota, PERIOD_MS } from './cgroup.js'

/** Kernel's default of CONFIG_HZ, ticks a second. */
const USUAL_HZ = 250
/** Kernel's default of sched_cfs_bandwidth_slice_us. */
const USUAL_SLICE_MS = 5
/** `min_cfs_rq_runtime` of kernel/sched/fair.c: nobody can set it. */
const KEEP_MS = 1

/** Sandboxes of so many MB take longest to pay for what they ran. */
const SMALLEST_MB = 128

/** How this machine's kernel keeps to the quotas of control groups; what it does not tell is as kernels come. */
export function quotaFacts(): CpuQuota {
  const hz = Number(/^CONFIG_HZ=(\d+)$/m.exec(kernelConfig())?.[1] ?? USUAL_HZ)
  const sliceUs = Number(tried(() => readFileSync('/proc/sys/kernel/sched_cfs_bandwidth_slice_us', 'utf8')))
  return {
    periodMs: PERIOD_MS,
    tickMs: 1000 / hz,
    sliceMs: sliceUs > 0 ? sliceUs / 1000 : USUAL_SLICE_MS,
    keepMs: KEEP_MS,
  }
}

/** Ms until a sandbox has paid for what it ran beyond its quota before a tick noticed. */
export function restMsOf({ periodMs, tickMs }: CpuQuota): number {
  return periodMs * Math.ceil((1000 * tickMs) / cpuQuota(SMALLEST_MB).quotaUs)
}

function kernelConfig(): string {
  return (
    tried(() => gunzipSync(readFileSync('/proc/config.gz')).toString()) ??
    tried(() => readFileSync(`/boot/config-${release()}`, 'utf8')) ??
    ''
  )
}

function tried<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os'
import type { Machine } from './outcome.js'

/** The machine that a run was made on, for its reader. */
export function machineFacts(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: availableParallelism(),
    memoryGb: totalmem() / 2 ** 30,
    node: process.version,
    os: `${platform()} ${arch()}`,
  }
}

import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Setting } from '../harness.js'

/** Of commands that read a file. */
export const setting: Setting = {
  role: 'ours',
  isolation: 'process',
  transport: 'file',
  durability: 'none',
  records: 'off',
  wait: 'park',
}

/** What one run of the command printed and took. */
export interface CommandRun<T> {
  document: T
  peakKb: number
  seconds: number
}

/** Runs `fusionize … --json` as a process of its own, from its start to its end, with a reader of its peak memory loaded before it. */
export function runCommand<T>(args: readonly string[], cwd?: string): Promise<CommandRun<T>> {
  const command = join(
    dirname(createRequire(import.meta.url).resolve('@fusionize/cli/package.json')),
    'bin/fusionize.js',
  )
  const tellPeak = `data:text/javascript,process.on('exit',()=>console.error('peak '+process.resourceUsage().maxRSS))`
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', tellPeak, command, ...args, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.once('error', reject)
    child.once('close', (code) => {
      const seconds = (performance.now() - began) / 1000
      const peak = /peak (\d+)/.exec(stderr)
      if (code !== 0 || !peak) return reject(new Error(`fusionize ${args[0]} ended with ${code}: ${stderr}${stdout}`))
      resolve({ document: JSON.parse(stdout), peakKb: Number(peak[1]), seconds })
    })
  })
}

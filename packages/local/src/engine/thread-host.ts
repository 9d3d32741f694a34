import type { Readable } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { portChannel, postPort } from '../sandbox/channel.js'
import { type Host, type HostEvents, type HostRequest, heapMb, lines } from './host.js'

/** A sandbox as a thread of the platform's process: quick to start and to reach; its heap is bounded, its CPU share is not. */
export function startThread(request: HostRequest, events: HostEvents): Host {
  const worker = new Worker(request.file, {
    workerData: { fusionize: request.info },
    env: { ...process.env, ...request.env },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMb(request.info.memory) },
    stdout: true,
    stderr: true,
  })
  read(worker.stdout, (line) => events.output('stdout', line))
  read(worker.stderr, (line) => events.output('stderr', line))
  let outOfMemory = false
  let killed = false
  worker.on('error', (error: Error & { code?: string }) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') outOfMemory = true
    else for (const line of String(error.stack ?? error).split('\n')) events.output('stderr', line)
  })
  worker.on('exit', (code) => events.exit({ code, signal: killed ? 'SIGKILL' : null, outOfMemory }))
  return {
    channel: portChannel(worker, events.message),
    postPort: (head, port) => postPort(worker, head, port),
    limitCpu: () => {},
    kill: () => {
      killed = true
      void worker.terminate()
    },
  }
}

function read(stream: Readable, output: (line: string) => void): void {
  const cut = lines(output)
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => cut.push(text)).on('end', () => cut.end())
}

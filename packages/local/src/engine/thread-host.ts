import type { Readable } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { portChannel, postPort, type Receive } from '../sandbox/channel.js'
import { type Host, type HostEvents, type HostRequest, heapMb, lines, youngMb } from './host.js'
import { type SpinHost, stirring } from './spin-host.js'

/** A sandbox as a thread of the platform's process: quick to start and to reach; its heap is bounded, its CPU share is not. */
export function startThread(request: HostRequest, events: HostEvents, spin?: SpinHost): Host {
  const spinning = spin?.newThread()
  const worker = new Worker(request.file, {
    workerData: { fusionize: request.info, spin: spinning?.workerData },
    env: { ...process.env, ...request.env },
    execArgv: spin?.execArgv ?? [],
    resourceLimits: {
      maxOldGenerationSizeMb: heapMb(request.info.memory),
      maxYoungGenerationSizeMb: youngMb(request.info.memory),
    },
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
  worker.on('exit', (code) => {
    spinning?.end()
    events.exit({ code, signal: killed ? 'SIGKILL' : null, outOfMemory })
  })
  const receive: Receive = (head, parts, port) => {
    spin?.stir()
    events.message(head, parts, port)
  }
  const port = spinning?.belled(worker) ?? worker
  const channel = portChannel(port, receive)
  return {
    channel: spin === undefined ? channel : stirring(channel, spin.stir),
    spins: spin !== undefined,
    postPort: (head, linked, rings) => channel.flush(() => postPort(port, head, linked, rings)),
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

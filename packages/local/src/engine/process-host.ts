import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { socketChannel } from '../sandbox/channel.js'
import { INFO_VARIABLE } from '../sandbox/messages.js'
import type { ResourceGroups } from './cgroup.js'
import { type Host, type HostEvents, type HostRequest, heapMb, lines, youngMb } from './host.js'

/** Ms that the streams of an ended process may stay open (its own children may hold them) before it counts as ended. */
const STREAMS_GRACE_MS = 200

/** A sandbox as a process of its own: isolated, with the memory and the CPU share of its function where the system allows it. */
export function startProcess(request: HostRequest, events: HostEvents, groups: ResourceGroups): Host {
  const { info } = request
  const child = spawn(
    process.execPath,
    [`--max-old-space-size=${heapMb(info.memory)}`, `--max-semi-space-size=${youngMb(info.memory) / 3}`, request.file],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // A process group of its own: Ctrl-C at a terminal reaches the platform alone, which ends its sandboxes in order.
      detached: true,
      env: { ...process.env, ...request.env, [INFO_VARIABLE]: JSON.stringify(info) },
    },
  )
  const group = child.pid === undefined ? undefined : groups.add(info.sandbox, child.pid, info.memory)
  let heapExhausted = false
  read(child.stdout as Readable, (line) => events.output('stdout', line))
  read(child.stderr as Readable, (line) => {
    if (line.includes('JavaScript heap out of memory')) heapExhausted = true
    events.output('stderr', line)
  })
  const socket = child.stdio[3] as Socket
  socket.on('error', () => {})

  let ended = false
  const end = (code: number | null, signal: string | null) => {
    if (ended) return
    ended = true
    // Children of the process may keep its end open.
    socket.destroy()
    const outOfMemory = heapExhausted || (signal === 'SIGKILL' && group?.oomKilled() === true)
    group?.remove()
    events.exit({ code, signal, outOfMemory })
  }
  child.on('error', (error) => {
    events.output('stderr', `cannot start a process: ${error.message}`)
    end(null, null)
  })
  child.on('exit', (code, signal) => setTimeout(() => end(code, signal), STREAMS_GRACE_MS).unref())
  child.on('close', end)

  return {
    channel: socketChannel(socket, true, events.message),
    limitCpu: () => group?.limitCpu(info.memory),
    // With all that it started.
    kill: () => killGroup(child),
  }
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-(child.pid as number), 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
}

function read(stream: Readable, output: (line: string) => void): void {
  const cut = lines(output)
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => cut.push(text)).on('end', () => cut.end())
}

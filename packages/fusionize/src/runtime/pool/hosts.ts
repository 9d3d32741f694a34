import type { FromMember, MemberInfo, ToMember } from './messages.js'

/** What a member runs in. */
export interface MemberHost {
  post(message: ToMember): void
  kill(): void
}

export interface MemberEvents {
  message(message: FromMember): void
  /** Called once. @param how in words, after "a member of the pool" */
  exit(how: string, outOfMemory: boolean): void
}

/** How a process is told that it is a member, and of what. */
export const MEMBER_VARIABLE = 'FUSIONIZE_MEMBER'

/** Least heap of a member, MB: below it not even its module loads. */
const MIN_HEAP_MB = 48

/** MB of heap of each of `width` members in a sandbox of that memory: together they have what the sandbox has. */
function heapMb(memoryMb: number, width: number): number {
  return Math.max(MIN_HEAP_MB, Math.floor((memoryMb * 0.9 - 32) / width))
}

/** @param file URL of the sandbox's artifact */
export function openThread(file: string, info: MemberInfo, width: number, events: MemberEvents): MemberHost {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const worker = new Worker(new URL(file), {
    workerData: { fusionizePool: info },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMb(info.memory, width) },
  })
  let outOfMemory = false
  let thrown = ''
  // It ends with the sandbox, and keeps nobody from ending.
  worker.unref()
  worker
    .on('message', events.message)
    .on('error', (error: Error & { code?: string }) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') outOfMemory = true
      else thrown = ` because of ${error.name}: ${error.message}`
    })
    .on('exit', (code) => events.exit(`ended with exit code ${code}${thrown}`, outOfMemory))
  return { post: (message) => worker.postMessage(message), kill: () => void worker.terminate() }
}

/** @param file URL of the sandbox's artifact */
export function openProcess(file: string, info: MemberInfo, width: number, events: MemberEvents): MemberHost {
  const { fork } = process.getBuiltinModule('node:child_process')
  const child = fork(new URL(file), {
    serialization: 'advanced',
    execArgv: [`--max-old-space-size=${heapMb(info.memory, width)}`],
    env: { ...process.env, [MEMBER_VARIABLE]: JSON.stringify(info) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  child.stdout?.pipe(process.stdout, { end: false })
  child.stderr?.pipe(process.stderr, { end: false })
  child.unref()
  child.channel?.unref()
  const kill = () => void child.kill('SIGKILL')
  // One that computes hears of the sandbox's end too late.
  process.once('exit', kill)
  let over = false
  const exit = (how: string, outOfMemory = false) => {
    if (over) return
    over = true
    process.off('exit', kill)
    events.exit(how, outOfMemory)
  }
  child
    .on('message', events.message)
    .on('error', (error) => exit(`could not start: ${error.message}`))
    // What the kernel or the engine of JavaScript does when memory is short.
    .on('exit', (code, signal) =>
      exit(signal ? `was ended by ${signal}` : `ended with exit code ${code}`, signal === 'SIGABRT' || code === 134),
    )
  return {
    post: (message) => {
      if (child.connected) child.send(message)
    },
    kill,
  }
}

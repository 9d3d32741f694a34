import { setTimeout as sleep } from 'node:timers/promises'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'

/** Asked for a count, sends so many messages that say when they were sent, with pauses in which the receiver parks. */
const PAUSE_MS = 2
const port = workerData as MessagePort
parentPort?.on('message', async (count: number) => {
  for (let n = 0; n < count; n++) {
    await sleep(PAUSE_MS)
    port.postMessage(Number(process.hrtime.bigint()) / 1000)
  }
  await sleep(PAUSE_MS)
  parentPort?.postMessage(count)
})

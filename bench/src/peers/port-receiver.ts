import { type MessagePort, parentPort, workerData } from 'node:worker_threads'

/** Asked for a count, answers with the us that each of so many messages took, by the clock that all threads share, when the last is here. */
const port = workerData as MessagePort
let us: number[] = []
let wanted = Number.POSITIVE_INFINITY
port.on('message', (beganUs: number) => {
  us.push(Number(process.hrtime.bigint()) / 1000 - beganUs)
  answer()
})
parentPort?.on('message', (count: number) => {
  wanted = count
  answer()
})

function answer(): void {
  if (us.length < wanted) return
  parentPort?.postMessage(us)
  us = []
  wanted = Number.POSITIVE_INFINITY
}

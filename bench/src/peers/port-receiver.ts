import { type MessagePort, parentPort, workerData } from 'node:worker_threads'

/** Answers with the us that each message took, by the clock that all threads share. */
const port = workerData as MessagePort
let us: number[] = []
port.on('message', (beganUs: number) => void us.push(Number(process.hrtime.bigint()) / 1000 - beganUs))
parentPort?.on('message', () => {
  parentPort?.postMessage(us)
  us = []
})

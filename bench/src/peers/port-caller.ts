import { type MessagePort, parentPort, workerData } from 'node:worker_threads'

const port = workerData as MessagePort
parentPort?.on('message', async (count: number) => {
  const samples: number[] = []
  for (let n = 0; n < count; n++) {
    const began = performance.now()
    port.postMessage('{"n":1}')
    await answer()
    samples.push((performance.now() - began) * 1000)
  }
  parentPort?.postMessage(samples)
})

let resolve: () => void = () => {}
port.on('message', () => resolve())

function answer(): Promise<void> {
  return new Promise((done) => {
    resolve = done
  })
}

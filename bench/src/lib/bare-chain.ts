import { AsyncLocalStorage } from 'node:async_hooks'

/** The frame of a step: what a handler needs at least to tell whose put it is. */
interface Frame {
  now: number
}

type Step = (value: Frame) => Promise<void>

/**
 * What Node itself takes for a chain: `n` different async functions, each of which has the next begin in a promise's turn with a copy of
 * its value, under an `AsyncLocalStorage` as every task is. No buckets, no ids, no spans.
 * @returns ms from the first hand-over to the first statement of the last, for each of `runs`
 */
export async function bareChain(n: number, runs: number): Promise<number[]> {
  const current = new AsyncLocalStorage<Frame>()
  const steps: Step[] = []
  const soon = Promise.resolve()
  const next = (at: number, value: Frame): Promise<void> => {
    if (current.getStore() === undefined) throw new Error('a step runs in a frame')
    const copy = { ...value }
    void soon.then(() => current.run(copy, steps[at] as Step, copy))
    return soon
  }
  let ended = () => {}
  steps.push(...(await distinct(n, next, () => ended())))
  const took: number[] = []
  for (let run = 0; run < runs; run++) {
    const began = performance.now()
    await new Promise<void>((resolve) => {
      ended = () => {
        took.push(performance.now() - began)
        resolve()
      }
      void current.run({ now: 0 }, () => next(0, { now: 0 }))
    })
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return took
}

/** Code of its own for each, as tasks have. */
async function distinct(n: number, next: unknown, ended: () => void): Promise<Step[]> {
  const code = Array.from({ length: n }, (_, i) =>
    i < n - 1 ? `async ({ now }) => { await next(${i + 1}, { now: now + 1 }) }` : 'async () => ended()',
  )
  const source = `export default (next, ended) => [${code.join(',\n')}]`
  const module = await import(`data:text/javascript,${encodeURIComponent(source)}`)
  return module.default(next, ended)
}

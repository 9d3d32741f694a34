/**
 * Does `work` again and again, `everyMs` after it was done.
 * @returns `end` does it a last time, so that nothing is missed
 */
export function poll(everyMs: number, work: () => Promise<void>): { end(): Promise<void> } {
  let ended = false
  let timer: NodeJS.Timeout | undefined
  let running = Promise.resolve()
  const next = () => {
    timer = setTimeout(() => {
      running = work().then(
        () => {
          if (!ended) next()
        },
        (error) => {
          // shown as the bug that it is, by whoever ends the process
          process.nextTick(() => {
            throw error
          })
        },
      )
    }, everyMs)
  }
  next()
  return {
    async end() {
      if (ended) return
      ended = true
      clearTimeout(timer)
      await running
      await work()
    },
  }
}

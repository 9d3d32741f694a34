const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

const cleanups: (() => Promise<void> | void)[] = []
const stopping = new AbortController()

/** Aborts when the user asks the process to end. */
export const stopSignal: AbortSignal = stopping.signal

/** Runs `cleanup` when the command ends, however it ends, the last one first. @returns runs it now, and not again */
export function atEnd(cleanup: () => Promise<void> | void): () => Promise<void> {
  cleanups.push(cleanup)
  return async () => {
    const at = cleanups.indexOf(cleanup)
    if (at < 0) return
    cleanups.splice(at, 1)
    await cleanup()
  }
}

/** Runs what `atEnd` was given; a failing cleanup does not keep the others from running. */
export async function cleanUp(): Promise<void> {
  const failures: unknown[] = []
  for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop())
    try {
      await cleanup()
    } catch (error) {
      failures.push(error)
    }
  if (failures.length > 0) throw failures[0]
}

/** From now on a signal cleans up and ends the process with its own exit code; a second one does not wait for the cleaning. */
export function endOnSignals(): void {
  for (const [signal, code] of Object.entries(signals))
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(code)
      stopping.abort(new Error(`stopped by ${signal}`))
      cleanUp()
        .catch((error) => console.error(error))
        .finally(() => process.exit(code))
    })
  // who reads us went away (`fusionize logs | head`): not a failure
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    cleanUp().finally(() => process.exit(0))
  })
}

/** For commands that go on until they are stopped. */
export function untilStopped(): Promise<never> {
  return new Promise(() => {})
}

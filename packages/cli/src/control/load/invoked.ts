import type { Platform } from '@fusionize/platform'
import type { LoadRequest } from 'fusionize'
import { clock } from './clock.js'
import { fire, type Reply, type RequestSample } from './fire.js'
import { loadDefaults, type RunOptions } from './generator.js'

/** Ms between two batches of samples. */
const REPORT_EVERY_MS = 100

/**
 * One open-loop load on a platform that serves no entries by itself: each request is an invocation, made in this process. Latencies are those
 * of whoever asks from here, the way to the platform included.
 */
export async function runInvokedLoad(
  platform: Pick<Platform, 'invoke'>,
  requests: readonly LoadRequest[],
  arrivals: readonly number[],
  { signal = new AbortController().signal, onSamples }: RunOptions = {},
): Promise<RequestSample[]> {
  const samples: RequestSample[] = []
  let told = 0
  const tell = () => {
    const batch = samples.slice(told)
    told = samples.length
    if (batch.length > 0) onSamples?.(batch)
  }
  const reporting = setInterval(tell, REPORT_EVERY_MS)
  await fire(arrivals, {
    ...loadDefaults,
    clock,
    signal,
    send: (index, stopped) => send(platform, requests[index] as LoadRequest, stopped),
    onSample: (sample) => samples.push(sample),
  })
  clearInterval(reporting)
  tell()
  return samples.sort((a, b) => a.index - b.index)
}

/** A failed task is a reply, as it is over HTTP. */
async function send(
  platform: Pick<Platform, 'invoke'>,
  { task, input }: LoadRequest,
  signal: AbortSignal,
): Promise<Reply> {
  const payload = input === undefined || input instanceof Uint8Array ? input : JSON.stringify(input)
  const { timeoutMs } = loadDefaults
  const result = await platform.invoke(task, payload, { signal, timeoutMs })
  return { status: result.ok ? 200 : 500, session: result.session }
}

import { type InvocationRecord, spanId } from 'fusionize/record'
import type { Mode } from 'fusionize/setup'

interface Described {
  id: string
  cold: number | null
  mode?: Mode
  calls?: { to: string; start: number; end: number; mode?: Mode }[]
}

/** Records of one request, each replying after 100 ms; the first is the root. */
export function chain(described: readonly Described[]): InvocationRecord[] {
  const rootSpan = (index: number) => `${String(index + 1).padStart(8, '0')}00000000`
  return described.map(({ id, cold, mode = 'call', calls = [] }, index) => {
    const caller = described.findIndex((other) => other.calls?.some(({ to }) => to === id))
    const edge = described[caller]?.calls?.findIndex(({ to }) => to === id) ?? -1
    return {
      v: 1,
      app: 'test',
      setup: 'test',
      function: id,
      task: id,
      sandbox: id,
      invocation: id,
      session: 'one',
      trace: '1'.repeat(32),
      span: rootSpan(index),
      parent: caller < 0 ? null : spanId(rootSpan(caller), edge + 1),
      mode,
      attempt: 1,
      cold,
      start: 0,
      reply: 100,
      wall: 130,
      peakMb: 50,
      memory: 128,
      concurrent: 1,
      spans: [
        { parent: -1, task: id, mode, route: 'inline', start: 0, end: 100, bytesIn: 0, bytesOut: 0 },
        ...calls.map(({ to, start, end, mode: sent = 'call' }) => ({
          parent: 0,
          task: to,
          mode: sent,
          route: 'remote' as const,
          start,
          end,
          bytesIn: 0,
          bytesOut: 0,
        })),
      ],
    }
  })
}

import type { Platform } from '@fusionize/platform'
import { encode } from 'fusionize/runtime'
import { expect } from 'vitest'
import { outputOf } from './local.js'
import type { Step } from './programs.js'

/** The fixture app `buckets-app` on some platform. */
export interface BucketsApp {
  platform: Pick<Platform, 'invoke'> & { flush(): Promise<number> }
  /** Has `drive` do the steps in a session of its own. @returns what each gave */
  drive(steps: Step[]): Promise<unknown[]>
  /** What triggers started, as `task keys`, sorted, when nothing is under way. */
  firings(): Promise<string[]>
}

/** What buckets do on every platform, wherever they are evaluated. */
export const bucketCases: readonly { name: string; run(app: BucketsApp): Promise<void> }[] = [
  {
    name: 'who gets the keys of a set can read its objects',
    async run({ drive, firings }) {
      const put = (key: string, value: string) => ({ put: 'drafts' as const, key, value })
      await drive([put('a', '1'), put('b', '2')])
      await drive([put('a', '3'), { call: [put('b', '4')] }, { get: 'drafts', key: 'a' }])
      expect(await firings()).toEqual(['review b a 2 1', 'review b a 4 3'])
    },
  },
  {
    name: 'the sources that are not needed are told to stop, whether they began before or after the first',
    async run({ platform, firings }) {
      const contest = async (...runners: { name: string; slow: boolean }[]) =>
        outputOf(await platform.invoke('contest', encode(runners)))
      expect(await contest({ name: 'a', slow: false }, { name: 'b', slow: true })).toEqual(['put', 'CANCELLED'])
      expect(await contest({ name: 'c', slow: true }, { name: 'd', slow: false })).toEqual(['CANCELLED', 'put'])
      expect(await firings()).toEqual(['set a', 'set d'])
    },
  },
  {
    name: 'what waits for more goes out when there is no more',
    async run({ drive, firings, platform }) {
      const put = (key: string) => ({ put: 'letters' as const, key, value: key })
      await drive([put('a'), put('b')])
      await drive([put('c'), put('d')])
      expect(await firings()).toEqual(['window a b c'])
      expect([await platform.flush(), await platform.flush()]).toEqual([1, 0])
      expect(await firings()).toEqual(['window a b c', 'window d'])
    },
  },
]

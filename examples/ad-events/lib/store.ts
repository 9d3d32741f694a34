import { fileStore } from '@fusionize/example-kit'
import type { WindowCount } from '@fusionize/example-kit/ads'

/** Where the counts go: the folder `AD_EVENTS_STORE`, by default `.fusionize/store`. */
export const store = fileStore(() => process.env.AD_EVENTS_STORE ?? '.fusionize/store')

/** All windows that were counted. */
export async function countedWindows(): Promise<WindowCount[]> {
  const keys = await store.list('windows/')
  return Promise.all(keys.map(async (key) => (await store.get<WindowCount>(key)) as WindowCount))
}

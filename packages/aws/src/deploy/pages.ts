import { failing, unlessGone } from './failure.js'

/** All items of a list that comes in pages; what is gone meanwhile is empty. */
export async function pages<T>(
  resource: string,
  operation: string,
  read: (marker: string | undefined) => Promise<[T[], string | undefined]>,
): Promise<T[]> {
  const all: T[] = []
  for (let marker: string | undefined, more = true; more; ) {
    const page = await failing(resource, operation, () => unlessGone(read(marker)))
    all.push(...(page?.[0] ?? []))
    marker = page?.[1]
    more = marker !== undefined && marker !== ''
  }
  return all
}

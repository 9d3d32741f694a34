/**
 * What a map resolves with: all results in order, or the first error in that order. As soon as it is certain: an item that fails is
 * heard when all before it have succeeded. The first error in time would depend on where the items run.
 */
export async function inOrder<T>(results: readonly Promise<T>[]): Promise<T[]> {
  for (const result of results) result.catch(ignore)
  const all: T[] = []
  for (const result of results) all.push(await result)
  return all
}

function ignore(): void {}

/** What a try at a rate found. */
export interface Try {
  held: boolean
}

/**
 * The highest rate that is held, by doubling, then by halving the distance between what was held and what was not. The answer has been
 * held for the long time: a rate that was held for the short time only is lowered until it is.
 * @param hold tries a rate
 * @returns undefined when even the lowest rate was not held
 */
export async function highestRate<T extends Try>(
  hold: (rate: number, long: boolean) => Promise<T>,
  { from, steps }: { from: number; steps: number },
): Promise<{ rate: number; found: T } | undefined> {
  let low = 0
  let high = from
  while ((await hold(high, false)).held) {
    low = high
    high *= 2
  }
  for (let i = 0; i < steps && low > 0; i++) {
    const middle = Math.round((low + high) / 2)
    if ((await hold(middle, false)).held) low = middle
    else high = middle
  }
  for (let rate = low; rate >= from / 2 && rate >= 1; rate = Math.floor(rate * 0.9)) {
    const found = await hold(rate, true)
    if (found.held) return { rate, found }
  }
  return undefined
}

import { task } from 'fusionize'
import { answers } from '../../buckets/stragglers/answers'
import { podiums } from '../../buckets/stragglers/podiums'
import { starts } from '../../buckets/stragglers/starts'
import { n, sourceOf } from '../../lib/race'

/** Asks all, `slow` of whom take `slowMs`, the others no time; replies when enough have answered. */
export default task(
  'stragglers',
  { http: 'POST /stragglers', result: podiums },
  async ({ slow, slowMs }: { slow: number; slowMs: number }) => {
    if (!Number.isSafeInteger(slow) || slow < 0 || slow > n) throw new RangeError(`slow is ${slow}; give 0 to ${n}`)
    const numbers = Array.from({ length: n }, (_, number) => number)
    await answers.expect({ sources: numbers.map(sourceOf) })
    // The slow ones first: who comes first is not who was asked first.
    await Promise.all(
      numbers.map((number) => starts.put(sourceOf(number), { number, delayMs: number < slow ? slowMs : 0 })),
    )
  },
)

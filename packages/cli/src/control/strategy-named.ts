import { type Strategy, strategies } from '@fusionize/planner'
import { FusionizeError, suggest } from 'fusionize'

/** @throws {FusionizeError} `INVALID_CONFIG` when there is none of that name */
export function strategyNamed(name: string): Strategy {
  const strategy = Object.hasOwn(strategies, name) ? strategies[name] : undefined
  if (strategy) return strategy
  const known = Object.keys(strategies)
  throw new FusionizeError(
    'INVALID_CONFIG',
    `there is no strategy '${name}'${suggest(name, known)}; choose one of ${known.join(', ')}`,
  )
}

import type { Strategy } from '../types.js'
import { closure } from './closure/index.js'
import { plan } from './plan/strategy.js'
import { published } from './published.js'
import { allFused, remote } from './reference.js'

/** All strategies by name; `closure` is the default. */
export const strategies: Readonly<Record<string, Strategy>> = {
  closure,
  plan,
  published,
  remote,
  'all-fused': allFused,
}

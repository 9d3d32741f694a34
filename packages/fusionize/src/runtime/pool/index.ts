import type { FunctionModule } from '../protocol.js'
import { type OpenPool, Pool } from './pool.js'
import { serve } from './serve.js'

export { type Spread, spread } from './spread.js'

/** What the build puts into artifacts of functions whose items may run in a pool. */
export const pool = {
  /** Serves a pool, if this thread or process was started for one. @returns whether it was */
  serve,
  /**
   * @param file URL of the artifact
   * @returns what opens the pool of a function; nothing where one core is all there is
   */
  at:
    (file: string, { parallel, poolable = [] }: Pick<FunctionModule, 'parallel' | 'poolable'>): OpenPool =>
    (router): Pool | undefined => {
      const width = router.info.cores ?? 1
      return width < 2 || parallel === 'loop' ? undefined : new Pool(file, router, parallel, poolable, width)
    },
}

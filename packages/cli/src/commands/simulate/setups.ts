import { FusionizeError, suggest } from 'fusionize'
import { type App, allFusedSetup, type FusionSetup, parseSetup, remoteSetup } from 'fusionize/setup'
import { currentSetup } from '../../app/current-setup.js'
import type { LoadedApp } from '../../app/load-app.js'
import { requireValid } from '../../app/require-valid.js'
import { readHistories } from '../../control/history.js'

export interface NamedSetup {
  name: string
  setup: FusionSetup
  /** Why the adopted setup was passed over. */
  ignored?: string
}

const words = ['current', 'remote', 'all-fused']

/**
 * The setup that a word of the command line names: `current`, `remote`, `all-fused`, the id of one that `optimize` measured, or a notation.
 * @throws {FusionizeError} `INVALID_SETUP`
 */
export async function namedSetup(word: string, loaded: LoadedApp, app: App): Promise<NamedSetup> {
  const { constraints, memory } = loaded.config
  if (word === 'current') {
    const { setup, ignored } = await currentSetup(loaded, app)
    return { name: word, setup, ...(ignored === undefined ? {} : { ignored }) }
  }
  if (word === 'remote') return { name: word, setup: remoteSetup(app, memory) }
  if (word === 'all-fused') return { name: word, setup: allFusedSetup(app, memory) }
  if (word.includes('(')) return { name: 'given', setup: requireValid(app, parseSetup(word, app), constraints) }
  const rounds = (await readHistories(loaded.stateDir)).flatMap((history) => history.rounds)
  const found = rounds.find(({ id }) => id === word)
  if (found) return { name: word, setup: requireValid(app, found.setup, constraints) }
  const known = [...words, ...new Set(rounds.map(({ id }) => id))]
  throw new FusionizeError(
    'INVALID_SETUP',
    `'${word}' is no setup${suggest(word, known)}; give ${words.join(', ')}, the id of a setup that 'fusionize optimize' measured, or a notation as in '(${Object.keys(app.tasks)[0]})@${memory}'`,
  )
}

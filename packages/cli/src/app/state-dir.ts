import { join } from 'node:path'

/** Where everything goes that fusionize keeps about the application in `dir`. */
export function stateDirOf(dir: string): string {
  return join(dir, '.fusionize')
}

import { FusionizeError } from '../errors.js'

/*
 * Takes the place of `plain.ts` in artifacts (the condition `fusionize-function`): what runs in a function is always in a request, and no
 * function need carry what would run its tasks outside one.
 */

export async function plainCall(): Promise<never> {
  throw outside()
}

export function plainSend(): never {
  throw outside()
}

function outside(): FusionizeError {
  return new FusionizeError('UNSUPPORTED', 'no request is under way: call it inside a task')
}

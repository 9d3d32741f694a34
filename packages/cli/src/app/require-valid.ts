import { type App, type Constraints, FusionizeError, type FusionSetup, validate } from 'fusionize/setup'

/** @returns the setup @throws {FusionizeError} `INVALID_SETUP` with every rule that it breaks. @param memoryLadder MB; absent = any size */
export function requireValid(
  app: App,
  setup: FusionSetup,
  constraints: Constraints,
  memoryLadder: readonly number[] = Object.values(setup.functions).map((spec) => spec.memory),
): FusionSetup {
  const violations = validate(app, setup, constraints, { memoryLadder })
  if (violations.length === 0) return setup
  throw new FusionizeError('INVALID_SETUP', violations.map(({ message }) => message).join('\n'), { violations })
}

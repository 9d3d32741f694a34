import type { Clock } from '../clock.js'
import { type Configuration, checkRevision, invalid, type LambdaFunction, revision } from './model.js'
import { checkSettled, type Places } from './places.js'

interface VersionParts {
  places: Places
  clock: Clock
  settleMs: number
}

interface PublishInput {
  CodeSha256?: string | undefined
  Description?: string | undefined
  RevisionId?: string | undefined
}

/**
 * PublishVersion: what $LATEST is now, under the next number; the last version again where nothing changed since.
 * A new version is Pending for a while; the documentation shows the state but promises no time.
 */
export function publishVersion(fn: LambdaFunction, input: PublishInput, parts: VersionParts): Configuration {
  checkRevision(input.RevisionId, fn.latest.RevisionId, 'GetFunction')
  checkSettled(fn.latest)
  const { CodeSha256 } = fn.latest
  if (input.CodeSha256 && input.CodeSha256 !== CodeSha256)
    throw invalid(
      `CodeSHA256 (${input.CodeSha256}) is different from current CodeSHA256 in $LATEST (${CodeSha256}). Please try again with the ` +
        'CodeSHA256 in $LATEST.',
    )
  return published(fn, parts, input.Description)
}

export function published(
  fn: LambdaFunction,
  { places, clock, settleMs }: VersionParts,
  description?: string,
): Configuration {
  const last = fn.versions.get(String(fn.lastVersion))
  if (last && contentOf(last) === contentOf(fn.latest)) return last
  const number = String(++fn.lastVersion)
  const version: Configuration = {
    ...fn.latest,
    Version: number,
    FunctionArn: places.arnOf(fn.name, number),
    RevisionId: revision(),
    State: 'Pending',
    ...(description === undefined ? {} : { Description: description }),
  }
  fn.versions.set(number, version)
  clock.after(settleMs, () => {
    if (!fn.versions.has(number)) return
    fn.versions.set(number, { ...version, State: 'Active', LastUpdateStatus: 'Successful' })
  })
  return version
}

/** All by which a version can differ from another; a description alone makes no new version. */
function contentOf(configuration: Configuration): string {
  const { CodeSha256, Role, Handler, Runtime, Timeout, MemorySize, Environment, Architectures } = configuration
  const { EphemeralStorage, TracingConfig, LoggingConfig, DeadLetterConfig } = configuration
  const variables = Object.entries(Environment?.Variables ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([
    [CodeSha256, Role, Handler, Runtime, Timeout, MemorySize, variables, Architectures],
    [EphemeralStorage, TracingConfig, LoggingConfig, DeadLetterConfig],
  ])
}

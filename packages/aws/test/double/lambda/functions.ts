import type { CreateFunctionRequest, UpdateFunctionCodeRequest } from '@aws-sdk/client-lambda'
import type { Clock } from '../clock.js'
import { AwsError } from '../gateway/error.js'
import type { RoleStore } from '../iam/roles.js'
import type { CodeStore } from '../sandbox/code.js'
import { configured, type Wanted } from './configure.js'
import { type Configuration, checkRevision, conflict, invalid, type LambdaFunction, revision } from './model.js'
import { checkSettled, type Places } from './places.js'
import { published } from './versions.js'

/** Largest request that carries a zip, bytes: 50 MB in base64. */
const LARGEST_UPLOAD = 70_167_211

export interface FunctionParts {
  places: Places
  roles: RoleStore
  code: CodeStore
  clock: Clock
  /** How long a function is Pending, and an update InProgress, ms of the double's clock. */
  settleMs: number
  /** The zip in a bucket; undefined where there is none. */
  readObject(bucket: string, key: string): Promise<Buffer | undefined>
  /** Environments of this configuration will get no more invocations. */
  retire(configuration: Configuration): void
}

type CodeSource = { ZipFile?: string | undefined; S3Bucket?: string | undefined; S3Key?: string | undefined }
/** Blobs are text in base64 on the wire. */
export type CreateInput = Omit<CreateFunctionRequest, 'Code'> & { Code: CodeSource }
export type UpdateCodeInput = Omit<UpdateFunctionCodeRequest, 'ZipFile'> & CodeSource

/** Makes, changes and removes functions. Not imitated: iam:PassRole of who does so, the account's 75 GB for code. */
export class FunctionChanges {
  readonly #parts: FunctionParts

  constructor(parts: FunctionParts) {
    this.#parts = parts
  }

  async create(input: CreateInput, bytes: number): Promise<Configuration> {
    const { places } = this.#parts
    const { name } = places.parse(input.FunctionName ?? '')
    if (bytes > LARGEST_UPLOAD) throw tooLarge('CreateFunction')
    const empty = this.#empty(name)
    const settings = configured(empty, input)
    if (!input.Role || !input.Handler || !input.Runtime) throw invalid('Runtime, Handler and Role are needed')
    if (places.functions.has(name)) throw conflict(`Function already exist: ${name}`)
    this.#checkRole(input.Role)
    const latest: Configuration = {
      ...settings,
      ...(await this.#stored(input.Code)),
      Architectures: input.Architectures ?? ['x86_64'],
      State: 'Pending',
      StateReason: 'The function is being created.',
      StateReasonCode: 'Creating',
    }
    const fn: LambdaFunction = {
      name,
      arn: places.arnOf(name),
      latest,
      serving: latest,
      versions: new Map(),
      lastVersion: 0,
      aliases: new Map(),
      tags: new Map(Object.entries(input.Tags ?? {})),
      policies: new Map(),
      eventInvoke: new Map(),
      urls: new Map(),
    }
    places.functions.set(name, fn)
    this.#settle(fn)
    return input.Publish ? published(fn, this.#parts) : fn.latest
  }

  async updateCode(nameOrArn: string, input: UpdateCodeInput, bytes: number): Promise<Configuration> {
    const fn = this.#parts.places.find(nameOrArn)
    if (bytes > LARGEST_UPLOAD) throw tooLarge('UpdateFunctionCode')
    checkRevision(input.RevisionId, fn.latest.RevisionId, 'GetFunction')
    checkSettled(fn.latest)
    const code = await this.#stored(input)
    // The zip may have taken a while to come.
    checkSettled(fn.latest)
    const Architectures = input.Architectures ?? fn.latest.Architectures
    if (input.DryRun) return { ...fn.latest, ...code, Architectures }
    this.#change(fn, { ...fn.latest, ...code, Architectures })
    return input.Publish ? published(fn, this.#parts) : fn.latest
  }

  updateConfiguration(nameOrArn: string, input: Wanted): Configuration {
    const fn = this.#parts.places.find(nameOrArn)
    checkRevision(input.RevisionId, fn.latest.RevisionId, 'GetFunction')
    checkSettled(fn.latest)
    const next = configured(fn.latest, input)
    if (input.Role !== undefined) this.#checkRole(input.Role)
    this.#change(fn, next)
    return fn.latest
  }

  /** Removes a function or one of its versions. */
  remove(nameOrArn: string, qualifierGiven: string | null): void {
    const { places, retire } = this.#parts
    const { name, qualifier } = places.parse(nameOrArn, qualifierGiven)
    const fn = places.find(name)
    if (qualifier === undefined) {
      places.functions.delete(name)
      for (const configuration of [fn.latest, fn.serving, ...fn.versions.values()]) retire(configuration)
      return
    }
    if (qualifier === '$LATEST') throw invalid('$LATEST version cannot be deleted without deleting the function.')
    if (!/^\d+$/.test(qualifier)) throw invalid('Deletion of aliases is not currently supported.')
    const version = places.configuration(fn, qualifier)
    const pointing = [...fn.aliases.values()].filter(
      ({ FunctionVersion, RoutingConfig }) =>
        FunctionVersion === qualifier || qualifier in (RoutingConfig?.AdditionalVersionWeights ?? {}),
    )
    if (pointing.length > 0)
      throw conflict(`Version cannot be deleted as it is referenced by aliases: ${pointing.map(({ Name }) => Name)}`)
    fn.versions.delete(qualifier)
    retire(version)
  }

  #empty(name: string): Configuration {
    return {
      FunctionName: name,
      FunctionArn: this.#parts.places.arnOf(name),
      Version: '$LATEST',
      CodeSha256: '',
      RevisionId: revision(),
      LastModified: this.#now(),
      Description: '',
      Timeout: 3,
      MemorySize: 128,
      EphemeralStorage: { Size: 512 },
      TracingConfig: { Mode: 'PassThrough' },
      PackageType: 'Zip',
      SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
      LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${name}` },
    }
  }

  #change(fn: LambdaFunction, next: Configuration): void {
    fn.latest = {
      ...next,
      RevisionId: revision(),
      LastModified: this.#now(),
      LastUpdateStatus: 'InProgress',
      LastUpdateStatusReason: 'The function is being updated.',
    }
    this.#settle(fn)
  }

  #settle(fn: LambdaFunction): void {
    const { clock, settleMs, retire } = this.#parts
    clock.after(settleMs, () => {
      const before = fn.serving
      fn.latest = settled(fn.latest)
      fn.serving = fn.latest
      if (before.RevisionId !== fn.latest.RevisionId) retire(before)
    })
  }

  #checkRole(arn: string): void {
    if (!this.#parts.roles.isAssumable(arn, 'lambda.amazonaws.com'))
      throw invalid('The role defined for the function cannot be assumed by Lambda.')
  }

  async #stored({ ZipFile, S3Bucket, S3Key }: CodeSource): Promise<Pick<Configuration, 'CodeSha256' | 'CodeSize'>> {
    const zip = ZipFile ? Buffer.from(ZipFile, 'base64') : await this.#parts.readObject(S3Bucket ?? '', S3Key ?? '')
    if (!zip)
      throw invalid(
        'Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.',
      )
    const hash = this.#parts.code.add(zip)
    return { CodeSha256: hash, CodeSize: zip.length }
  }

  #now(): string {
    return this.#parts.clock.date().toISOString().replace('Z', '+0000')
  }
}

/** Active, and its last update successful. A change of state is a change of revision too. */
export function settled(configuration: Configuration): Configuration {
  const { StateReason: _1, StateReasonCode: _2, LastUpdateStatusReason: _3, ...rest } = configuration
  return { ...rest, State: 'Active', LastUpdateStatus: 'Successful', RevisionId: revision() }
}

function tooLarge(operation: string): AwsError {
  return new AwsError(
    'RequestEntityTooLargeException',
    413,
    `Request must be smaller than ${LARGEST_UPLOAD} bytes for the ${operation} operation`,
  )
}

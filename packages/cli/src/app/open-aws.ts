import type { Clients, DeployOptions } from '@fusionize/aws'
import { FusionizeError } from 'fusionize'
import { atEnd } from '../terminal/lifetime.js'
import type { LoadedApp } from './load-app.js'

/** AWS as the configuration and the credentials of whoever runs the command make it. */
export interface OpenedAws {
  options: DeployOptions
  /** Null when AWS cannot be asked, for a command that can do without. */
  clients: Clients | null
  /** Why AWS cannot be asked, and what is taken for granted instead; in words. */
  notes: string[]
}

/** What a plan without an account takes for granted. */
const nowhere = { account: '000000000000', region: 'us-east-1' }

/**
 * Opens AWS; the SDK is loaded now and not before.
 * @throws {FusionizeError} `INVALID_CONFIG` when no region is said, `DEPLOY_FAILED` without credentials
 */
export async function openAws(loaded: LoadedApp): Promise<OpenedAws & { clients: Clients }> {
  const { accountOf, closeClients, createClients, regionOf } = await import('@fusionize/aws')
  const region = await regionOf(loaded.config.aws.region)
  if (region === undefined)
    throw new FusionizeError(
      'INVALID_CONFIG',
      "nothing says in which region of AWS; set aws.region in the configuration, as in 'eu-central-1', or AWS_REGION",
    )
  const clients = createClients(region)
  atEnd(() => closeClients(clients))
  return { options: { ...deployOptionsOf(loaded), account: await accountOf(clients), region }, clients, notes: [] }
}

/** The same for a plan, which can do without AWS: then it is as if nothing were deployed. */
export async function openAwsIfPossible(loaded: LoadedApp): Promise<OpenedAws> {
  try {
    return await openAws(loaded)
  } catch (error) {
    if (!(error instanceof FusionizeError)) throw error
    const { regionOf } = await import('@fusionize/aws')
    const region = (await regionOf(loaded.config.aws.region)) ?? nowhere.region
    const options = { ...deployOptionsOf(loaded), account: nowhere.account, region }
    const notes = [
      error.message,
      `planned as if nothing were deployed, in region ${region}; the account in names is ${nowhere.account}`,
    ]
    return { options, clients: null, notes }
  }
}

/** What the configuration says of deployments. */
export function deployOptionsOf({ config }: LoadedApp): Omit<DeployOptions, 'account' | 'region'> {
  const { manager: _, ...options } = config.aws
  return options
}

import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketTaggingCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3'
import { FusionizeError } from 'fusionize'
import { bucketName, ownerTag } from '../names.js'
import { failing, isGone } from './failure.js'
import type { Found, Observed } from './observed.js'
import type { Settings } from './settings.js'

/** S3's answers where a bucket has none of what was asked for. */
const notConfigured =
  /^(NoSuchTagSet|NoSuchTagSetError|NoSuchLifecycleConfiguration|NoSuchPublicAccessBlockConfiguration|ServerSideEncryptionConfigurationNotFoundError)$/

/** The app's bucket. Without any tags and empty, it is what a deployment left that stopped before it could tag it: own as well. */
export async function observeBucket(
  s3: S3Client,
  { account, prefix, region }: Settings,
): Promise<Found<Observed['bucket']>> {
  const Bucket = bucketName(prefix, account, region)
  return failing(`bucket ${Bucket}`, 'HeadBucket', async () => {
    const input = { Bucket, ExpectedBucketOwner: account }
    try {
      await s3.send(new HeadBucketCommand(input))
    } catch (error) {
      if (isGone(error)) return { own: null, strangers: [] }
      if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== 403) throw error
      throw new FusionizeError(
        'DEPLOY_FAILED',
        `bucket ${Bucket} belongs to another account, or your credentials may not see it; set aws.prefix to another name, or use other credentials`,
        { bucket: Bucket },
        { cause: error },
      )
    }
    const [tagging, access, lifecycle, encryption] = await Promise.all([
      configured(s3.send(new GetBucketTaggingCommand(input))),
      configured(s3.send(new GetPublicAccessBlockCommand(input))),
      configured(s3.send(new GetBucketLifecycleConfigurationCommand(input))),
      configured(s3.send(new GetBucketEncryptionCommand(input))),
    ])
    const owner = tagging?.TagSet?.find(({ Key }) => Key === ownerTag)?.Value
    if (owner !== prefix && (tagging?.TagSet?.length || !(await isEmpty(s3, input))))
      return { own: null, strangers: [`bucket ${Bucket}`] }
    const block = access?.PublicAccessBlockConfiguration
    const rules = (lifecycle?.Rules ?? []).filter(({ Status }) => Status === 'Enabled')
    return {
      own: {
        isTagged: owner === prefix,
        isPrivate: [
          block?.BlockPublicAcls,
          block?.BlockPublicPolicy,
          block?.IgnorePublicAcls,
          block?.RestrictPublicBuckets,
        ].every(Boolean),
        isEncrypted: (encryption?.ServerSideEncryptionConfiguration?.Rules?.length ?? 0) > 0,
        expiry: Object.fromEntries(
          rules.flatMap(({ Expiration, Filter }) =>
            Filter?.Prefix !== undefined && Expiration?.Days !== undefined ? [[Filter.Prefix, Expiration.Days]] : [],
          ),
        ),
      },
      strangers: [],
    }
  })
}

async function isEmpty(s3: S3Client, input: { Bucket: string; ExpectedBucketOwner: string }): Promise<boolean> {
  const { KeyCount } = await s3.send(new ListObjectsV2Command({ ...input, MaxKeys: 1 }))
  return (KeyCount ?? 0) === 0
}

async function configured<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (notConfigured.test((error as Error).name)) return undefined
    throw error
  }
}

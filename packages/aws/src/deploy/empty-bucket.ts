import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3'
import { FusionizeError } from 'fusionize'

/** Deletes every object of a bucket in every version, and what was never uploaded to its end. */
export async function emptyBucket(s3: S3Client, Bucket: string, account: string): Promise<void> {
  const owned = { Bucket, ExpectedBucketOwner: account }
  for (let page: ListObjectVersionsCommandOutput | undefined; page === undefined || page.IsTruncated; ) {
    page = await s3.send(
      new ListObjectVersionsCommand({
        ...owned,
        ...(page?.NextKeyMarker !== undefined && { KeyMarker: page.NextKeyMarker }),
        ...(page?.NextVersionIdMarker !== undefined && { VersionIdMarker: page.NextVersionIdMarker }),
      }),
    )
    const Objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key, VersionId }) => ({
      Key,
      ...(VersionId !== undefined && VersionId !== 'null' && { VersionId }),
    }))
    if (Objects.length === 0) continue
    const { Errors = [] } = await s3.send(new DeleteObjectsCommand({ ...owned, Delete: { Objects, Quiet: true } }))
    const [failed] = Errors
    if (failed)
      throw new FusionizeError(
        'DEPLOY_FAILED',
        `bucket ${Bucket}: ${Errors.length} objects could not be deleted, ${failed.Key} for one: ${failed.Message} (${failed.Code}); allow it and run the same command again`,
      )
  }
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand(owned))
  for (const { Key, UploadId } of Uploads) await s3.send(new AbortMultipartUploadCommand({ ...owned, Key, UploadId }))
}

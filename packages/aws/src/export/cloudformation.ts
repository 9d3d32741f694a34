import type { Build } from '@fusionize/platform'
import { FusionizeError } from 'fusionize'
import { desiredResources } from '../deploy/desired.js'
import { type Code, type Desired, type FunctionResource, ofKind } from '../deploy/resources.js'
import type { DeployOptions } from '../deploy/settings.js'
import { ownerTag } from '../names.js'
import { functionTemplates } from './function-templates.js'
import { resolved } from './intrinsics.js'
import { logicalId } from './logical-id.js'
import { sharedTemplates } from './shared-templates.js'
import type { Template } from './template.js'

export interface CloudFormationExport {
  template: Template
  /** Where the template expects the zips: name of the file below the parameters `CodeBucket` and `CodePrefix`, by function of the app. */
  keys: Record<string, string>
  desired: Desired
}

/** What stands in names and ARNs until the template is deployed. */
const pseudo = { account: `\${AWS::AccountId}`, region: `\${AWS::Region}` }

/**
 * The resources of a setup as a CloudFormation template, for those who keep their infrastructure themselves. The same that `deploySetup` makes,
 * but for the setups before: a stack has one setup, so what belongs to the last goes when the stack is updated.
 * @param code of each function's zip, by function
 * @throws {FusionizeError} as `desiredResources`; `UNSUPPORTED` for an app with a manager
 */
export function exportCloudFormation(
  build: Build,
  code: Record<string, Code>,
  options: Omit<DeployOptions, 'account' | 'region'>,
): CloudFormationExport {
  if (options.managed)
    throw new FusionizeError(
      'UNSUPPORTED',
      'a manager changes what a stack would have, so an app cannot be exported with one; export it without, or deploy it with fusionize deploy --managed',
    )
  const desired = desiredResources(build, code, { ...options, ...pseudo })
  const functions = ofKind(desired, 'function')
  const keys = Object.fromEntries(functions.map((one) => [one.function, zipName(one)]))
  const tags = [{ Key: ownerTag, Value: desired.settings.prefix }]
  const resources = { ...sharedTemplates(desired, tags), ...functionTemplates(desired, keys, tags) }
  const template: Template = {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `${build.app.name} in setup ${desired.setup}, by fusionize`,
    Parameters: {
      CodeBucket: {
        Type: 'String',
        Description: 'S3 bucket, in the region of the stack, that has the zips of the functions',
      },
      CodePrefix: {
        Type: 'String',
        Default: '',
        Description: 'What the keys of the zips begin with, as in fusionize/',
      },
    },
    Resources: resolved(resources) as Template['Resources'],
    Outputs: Object.fromEntries(
      ofKind(desired, 'url').map(({ functionName }) => {
        const one = functions.find(({ name }) => name === functionName) as FunctionResource
        const id = logicalId('Url', one.function)
        return [id, { Description: `Address of ${one.function}`, Value: { 'Fn::GetAtt': [id, 'FunctionUrl'] } }]
      }),
    ),
  }
  return { template, keys, desired }
}

/** Name of a zip; changes with its content, so that CloudFormation sees that it changed. */
export function zipName({ code, name }: FunctionResource): string {
  return `${name}-${Buffer.from(code.sha256, 'base64').toString('hex').slice(0, 16)}.zip`
}

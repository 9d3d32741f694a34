/** One resource of a template. */
export interface TemplateResource {
  Type: string
  Properties: Record<string, unknown>
  DependsOn?: string[]
  DeletionPolicy?: 'Retain' | 'Delete'
  UpdateReplacePolicy?: 'Retain' | 'Delete'
}

/** A CloudFormation template: JSON without transforms. */
export interface Template {
  AWSTemplateFormatVersion: '2010-09-09'
  Description: string
  Parameters: Record<string, Record<string, unknown>>
  Resources: Record<string, TemplateResource>
  Outputs: Record<string, { Description: string; Value: unknown }>
}

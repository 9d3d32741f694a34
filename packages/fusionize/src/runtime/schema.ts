import { FusionizeError } from '../errors.js'
import type { SchemaIssue, StandardSchema } from '../types.js'

/**
 * Checks what came from outside.
 * @returns the schema's output
 * @throws {FusionizeError} `INVALID_INPUT` with `details.issues: { path, message }[]`
 */
export async function validate(schema: StandardSchema, value: unknown, task: string): Promise<unknown> {
  const result = await schema['~standard'].validate(value)
  if (!result.issues) return result.value
  const issues = result.issues.map((issue) => ({ path: pathOf(issue), message: issue.message }))
  const first = issues[0]
  const where = first?.path ? ` at ${first.path}` : ''
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  throw new FusionizeError(
    'INVALID_INPUT',
    `the input of task '${task}' is not valid${where}: ${first?.message ?? 'no reason given'}${more}`,
    { issues },
  )
}

/** `items[2].name` */
function pathOf(issue: SchemaIssue): string {
  let path = ''
  for (const segment of issue.path ?? []) {
    const key = typeof segment === 'object' ? segment.key : segment
    path += typeof key === 'number' ? `[${key}]` : path === '' ? String(key) : `.${String(key)}`
  }
  return path
}

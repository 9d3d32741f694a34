const token = /\$\{AWS::\w+\}/

/** A value in which every text that names the account, the region or the partition is filled in when the template is deployed. */
export function resolved(value: unknown): unknown {
  if (typeof value === 'string') return token.test(value) ? { 'Fn::Sub': escaped(value) } : value
  if (Array.isArray(value)) return value.map(resolved)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner)]))
}

/** `${x}` of somebody else's language, such as a policy variable of IAM, stays as it is. */
function escaped(text: string): string {
  return text.replace(/\$\{(?!AWS::)/g, '$${!')
}

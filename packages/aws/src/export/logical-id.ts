/**
 * A logical id, which takes letters and digits only; different names have different ids.
 * @param kind of the resource, as in `Role`
 */
export function logicalId(kind: string, name: string): string {
  const letters = name.replace(/[^a-z0-9]/g, (sign) => (sign === '-' ? 'X' : `Z${sign.codePointAt(0)}Z`))
  return `${kind}${letters.charAt(0).toUpperCase()}${letters.slice(1)}`
}

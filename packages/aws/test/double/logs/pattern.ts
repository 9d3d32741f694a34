/**
 * Whether a message matches a filter pattern of terms: `ERROR`, `"exact words"`, all of several, or any of those with `?` before them.
 * Not imitated: JSON and space-delimited patterns, regular expressions.
 *
 * @throws where the pattern is of a kind that is not imitated.
 */
export function matchesPattern(pattern: string, message: string): boolean {
  if (/^\s*[{[%]/.test(pattern)) throw new Error(`The double of Logs reads only patterns of terms, not ${pattern}`)
  const terms = [...pattern.matchAll(/([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))/g)].map(
    ([, sign = '', quoted, plain]) => ({ sign, text: quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '' }),
  )
  const has = ({ text }: { text: string }) => message.includes(text)
  const signed = (sign: string) => terms.filter((term) => term.sign === sign)
  if (signed('-').some(has)) return false
  // CloudWatch ignores optional terms where others are required.
  if (signed('').length > 0) return signed('').every(has)
  return signed('?').length === 0 || signed('?').some(has)
}

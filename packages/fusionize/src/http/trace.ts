/** W3C Trace Context, §3.2.2 and §4: another version may say more behind, all zeros are no id. */
const traceShape = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?=$|-)/

/** The header, if it is one that can be continued. */
export function traceparentOf(header: string | undefined): string | undefined {
  if (header === undefined || !traceShape.test(header)) return undefined
  return header.startsWith('00') && header.length !== 55 ? undefined : header
}

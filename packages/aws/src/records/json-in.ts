/** The object that a log line, or a part of one, has. @returns undefined for one that was cut off, or only looks like ours */
export function jsonIn<T extends object>(text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as T) : undefined
  } catch {
    return undefined
  }
}

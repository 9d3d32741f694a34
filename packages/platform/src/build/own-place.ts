import type { Place } from './references.js'

/**
 * The source of a file in which `import.meta.url`, `.filename` and `.dirname` still mean the file's own place: a bundle would
 * make them mean its own.
 * @param path of the file relative to the artifact's folder
 */
export function keepOwnPlace(text: string, places: readonly Place[], path: string): string {
  let kept = text
  for (const { start, end, property } of [...places].sort((a, b) => b.start - a.start))
    kept = kept.slice(0, start) + ownPlace(property, path) + kept.slice(end)
  return kept
}

function ownPlace(property: Place['property'], path: string): string {
  const target = property === 'dirname' ? path.slice(0, Math.max(0, path.lastIndexOf('/'))) : path
  const encoded = target.split('/').map(encodeURIComponent).join('/')
  const url = `new URL(${JSON.stringify(encoded)},import.meta.url)`
  return property === 'url' ? `${url}.href` : `process.getBuiltinModule("node:url").fileURLToPath(${url})`
}

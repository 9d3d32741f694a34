import type { Message } from 'esbuild'
import type { BuildProblem } from './problems.js'

/** The bundler's messages in the form of all other problems. */
export function bundlerProblems(messages: readonly Message[], fn: string): BuildProblem[] {
  return messages.map(({ text, location, notes }) => ({
    kind: 'bundle',
    file: location?.file.replace(/^.*fusionize-stub:/, '') ?? '.',
    line: location?.line ?? 1,
    column: (location?.column ?? 0) + 1,
    message: `${text.replace(/\.$/, '')} (in function '${fn}')`,
    remedy: remedyOf(text, notes[0]?.text),
  }))
}

function remedyOf(text: string, note: string | undefined): string {
  if (text.startsWith('No loader is configured'))
    return 'import code or JSON only; read other files at run time, or put what is native into a package'
  if (text.startsWith('Could not resolve')) return 'correct the import, or install the package that it names'
  return note ?? 'correct the file; if it is not yours, update its package'
}

import type { Message } from 'esbuild'
import type { BuildProblem } from './problems.js'

/**
 * The bundler's messages in the form of all other problems.
 * @param nameOf how to call a file that the bundler names relative to the app
 */
export function bundlerProblems(
  messages: readonly Message[],
  artifact: string,
  nameOf: (file: string) => string,
): BuildProblem[] {
  return messages.map((message) => ({
    file: message.location ? nameOf(message.location.file) : '.',
    line: message.location?.line ?? 1,
    column: (message.location?.column ?? 0) + 1,
    ...explain(message, artifact, nameOf),
  }))
}

function explain(
  { text, location, notes }: Message,
  artifact: string,
  nameOf: (file: string) => string,
): Pick<BuildProblem, 'kind' | 'message' | 'remedy'> {
  const noExport = /^No matching export in "(.+)" for import "(.+)"$/.exec(text)
  if (noExport)
    return {
      kind: 'missing-export',
      message: `${nameOf(noExport[1] as string)} has no export '${noExport[2]}'`,
      remedy: lowerFirst(notes[0]?.text) ?? 'correct the name, or install the version of the package that has it',
    }
  return {
    kind: 'bundle',
    message: location ? text : `${text} (in ${artifact})`,
    remedy: text.startsWith('No loader is configured')
      ? 'import code or JSON only; read other files at run time, or put what is native into a package'
      : (lowerFirst(notes[0]?.text) ?? 'correct the file; if it is not yours, update its package'),
  }
}

function lowerFirst(text: string | undefined): string | undefined {
  return text === undefined ? undefined : text.charAt(0).toLowerCase() + text.slice(1)
}

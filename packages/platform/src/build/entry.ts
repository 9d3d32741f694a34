import type { FunctionModule } from 'fusionize/runtime'
import type { TaskFiles } from './exports.js'
import type { TaskFile } from './find-task.js'
import { compare } from './problems.js'

/** The module that an artifact starts with: hands the function's tasks to the platform's adapter. */
export function entrySource(
  module: Pick<FunctionModule, 'app' | 'function' | 'inline' | 'leaves'>,
  adapter: string,
  tasks: readonly { path: string; file: TaskFile }[],
): string {
  const imports = tasks.map(({ path, file }, i) => `import { ${exportName(file)} as t${i} } from ${quote(path)}`)
  const { app, function: name, inline, leaves } = module
  return [
    `import { start } from ${quote(adapter)}`,
    ...imports,
    `start({ app: ${quote(app)}, function: ${quote(name)}, tasks: [${tasks.map((_, i) => `t${i}`).join(', ')}], inline: ${JSON.stringify(inline)}, leaves: ${JSON.stringify(leaves)} })`,
  ].join('\n')
}

/** Files of tasks that are not in the artifact, with what takes their place. */
export function stubbedFiles(files: TaskFiles, tasks: readonly string[]): Map<string, string> {
  const inside = new Set(tasks)
  const outside = [...files].filter(([, file]) => !inside.has(file.info.name))
  return new Map(outside.map(([path, file]) => [path, stubSource(file)]))
}

/** What stands in for the file of a task that is not in the artifact: only the task's name. */
function stubSource({ info, exportNames }: TaskFile): string {
  return [
    `import { remoteTask } from 'fusionize/runtime'`,
    `const t = /* @__PURE__ */ remoteTask(${quote(info.name)})`,
    `export { ${[...exportNames]
      .sort(compare)
      .map((name) => `t as ${name}`)
      .join(', ')} }`,
  ].join('\n')
}

function exportName(file: TaskFile): string {
  return file.exportNames.includes('default') ? 'default' : (file.exportNames[0] as string)
}

function quote(text: string): string {
  return JSON.stringify(text)
}

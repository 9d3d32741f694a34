import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const template = fileURLToPath(new URL('../../../templates/app/', import.meta.url))
const packageDir = fileURLToPath(new URL('../../../', import.meta.url))
const tools = ['cli', 'local', 'planner', 'platform']

/** The files of a new application, text by path. */
export async function newApp(name: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const path of await filesIn(template)) {
    const text = await readFile(join(template, path), 'utf8')
    // npm leaves a real .gitignore out of packages
    files[path === 'gitignore' ? '.gitignore' : path] = text.replaceAll('{{name}}', name)
  }
  const manifest = JSON.parse(files['package.json'] as string)
  manifest.name = name
  const range = `^${JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')).version}`
  manifest.dependencies.fusionize = range
  manifest.devDependencies['@fusionize/cli'] = range
  if (isCheckout()) Object.assign(files, linkTo(manifest))
  files['package.json'] = `${JSON.stringify(manifest, null, 2)}\n`
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Writes them; a file that exists is an error, never overwritten. */
export async function writeFiles(dir: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(dir, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text, { flag: 'wx' })
  }
}

/** A package name that is as near as possible to a folder's. */
export function packageNameOf(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^[-\d]+|-+$/g, '')
  return plain === '' ? 'app' : plain
}

function isCheckout(): boolean {
  return !packageDir.includes(`${sep}node_modules${sep}`)
}

/** A checkout's packages are on no registry: the new application takes copies of them from their folders. */
function linkTo(manifest: { dependencies: Record<string, string>; devDependencies: Record<string, string> }) {
  const place = (folder: string) => `file:${join(packageDir, '..', folder)}`
  manifest.dependencies.fusionize = place('fusionize')
  for (const folder of tools) manifest.devDependencies[`@fusionize/${folder}`] = place(folder)
  return { '.npmrc': 'install-links=true\n' }
}

async function filesIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(dir, join(entry.parentPath, entry.name)))
}

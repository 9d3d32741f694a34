import { existsSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
import pc from 'picocolors'
import { command } from '../terminal/command.js'
import { Failure } from '../terminal/failure.js'
import { createOutput } from '../terminal/output.js'
import { newApp, packageNameOf, writeFiles } from './init/new-app.js'

export default command({
  help: {
    name: 'init',
    description: 'Make a new application that runs',
    examples: [
      ['init shop', 'in the folder shop; nothing that exists is overwritten'],
      ['init --yes', 'in this folder, without questions'],
    ],
    json: '{ dir, name, files: [path], next: [command] }',
  },
  args: {
    dir: { type: 'positional', required: false, description: 'Folder to make it in (default: this one)' },
    name: { type: 'string', valueHint: 'name', description: 'Name of the package (default: that of the folder)' },
    yes: { type: 'boolean', alias: 'y', default: false, description: 'Ask nothing' },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const asks = process.stdin.isTTY && process.stdout.isTTY && !args.yes && !args.json
    const given = { dir: args.dir, name: args.name }
    const answers = asks ? await (await import('./init/questions.js')).ask(given) : given
    const dir = resolve(args.cwd, answers.dir ?? '.')
    const name = answers.name ?? packageNameOf(basename(dir))
    if (packageNameOf(name) !== name)
      throw new Failure(`'${name}' is no name for a package; use lower-case letters, digits and dashes`)
    const files = await newApp(name)
    const taken = Object.keys(files).filter((file) => existsSync(resolve(dir, file)))
    if (taken.length > 0)
      throw new Failure(`${dir} already has ${taken.join(', ')}; choose another folder, nothing was written`)
    await writeFiles(dir, files)
    const cd = relative(process.cwd(), dir)
    const next = [...(cd === '' ? [] : [`cd ${cd}`]), 'npm install', 'npm test', 'npm run dev']
    out.result({ dir, name, files: Object.keys(files), next }, () =>
      [
        `${pc.bold(name)} in ${dir}`,
        ...Object.keys(files).map((file) => `  ${pc.green('+')} ${file}`),
        '',
        'Next:',
        ...next.map((line) => `  ${pc.cyan(line)}`),
      ].join('\n'),
    )
  },
})

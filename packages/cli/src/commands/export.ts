import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseSetup } from 'fusionize/setup'
import { currentSetup } from '../app/current-setup.js'
import { loadApp } from '../app/load-app.js'
import { deployOptionsOf } from '../app/open-aws.js'
import { requireValid } from '../app/require-valid.js'
import { command, commandGroup } from '../terminal/command.js'
import { createOutput } from '../terminal/output.js'
import { plural } from '../terminal/table.js'

const cloudformation = command({
  help: {
    name: 'cloudformation',
    description: 'Write the current setup as a CloudFormation template',
    examples: [
      ['export cloudformation --out template.json --code zips', 'the template, and the zips that it names'],
      ['export cloudformation', 'the template on stdout'],
    ],
    json: '{ setup, deployed, template, file?, zips: { function: name }, folder? }',
  },
  args: {
    out: { type: 'string', valueHint: 'file', description: "Where the template goes (default: '-', stdout)" },
    code: { type: 'string', valueHint: 'dir', description: 'Folder for the zips; upload it to CodeBucket/CodePrefix' },
    setup: { type: 'string', valueHint: 'notation', description: 'Setup to export (default: the current one)' },
  },
  async run({ args }) {
    const out = createOutput(args.json)
    const loaded = await loadApp(args.cwd, {}, 'aws')
    const app = await loaded.scan()
    const current = args.setup === undefined ? await currentSetup(loaded, app) : undefined
    if (current?.ignored) out.warn(current.ignored)
    const setup = current?.setup ?? requireValid(app, parseSetup(args.setup as string, app), loaded.config.constraints)
    const build = await loaded.builder.build(setup, loaded.config.env)
    const { exportCloudFormation, packageBuild } = await import('@fusionize/aws')
    const options = deployOptionsOf(loaded)
    const code = await packageBuild(build, options)
    const { desired, keys, template } = exportCloudFormation(build, code, options)
    const text = JSON.stringify(template, null, 2)
    const file = args.out === undefined || args.out === '-' ? undefined : args.out
    if (file !== undefined) {
      await writeFile(resolve(file), `${text}\n`)
      out.note(`Template in ${file}`)
    }
    if (args.code !== undefined) {
      const folder = resolve(args.code)
      await mkdir(folder, { recursive: true })
      for (const [fn, name] of Object.entries(keys)) await writeFile(join(folder, name), code[fn]?.zip ?? '')
      out.note(
        `${plural(Object.keys(keys).length, 'zip')} in ${args.code}: upload them to the bucket of the parameter CodeBucket, below CodePrefix`,
      )
    }
    const document = { setup: desired.setup, deployed: desired.deployed, template, zips: keys }
    const places = { ...(file !== undefined && { file }), ...(args.code !== undefined && { folder: args.code }) }
    out.result({ ...document, ...places }, () => (file === undefined ? text : ''))
  },
})

export default commandGroup(
  {
    name: 'export',
    description: 'Write what deploy would make for tools that you keep your infrastructure with',
    examples: [['export cloudformation --out template.json', 'a CloudFormation template']],
  },
  { cloudformation },
)

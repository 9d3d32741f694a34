import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { fusionize } from './support/fusionize.js'

const names = [
  'init',
  'dev',
  'build',
  'invoke',
  'send',
  'optimize',
  'plan',
  'simulate',
  'status',
  'logs',
  'graph',
  'characterize',
  'advise',
  'flush',
  'deploy',
  'destroy',
  'export',
  'export cloudformation',
  'dlq',
  'dlq list',
  'dlq replay',
]
const here = tmpdir()

test('without a command it tells what there is', async () => {
  const { code, stderr, stdout } = await fusionize([], here)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  for (const name of names.filter((name) => !name.includes(' '))) expect(stdout).toContain(`\n  ${name} `)
  expect((await fusionize(['--help'], here)).stdout).toBe(stdout)
})

test.each(names)('the help of %s is as it was', async (name) => {
  const { code, stderr, stdout } = await fusionize([...name.split(' '), '--help'], here)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('Examples')
  expect(stdout).toMatchSnapshot()
})

test('the version is that of the package', async () => {
  const { code, stdout } = await fusionize(['--version'], here)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test.each([
  [['buld'], "unknown command 'buld', did you mean 'build'?"],
  [['dlq', 'lst'], "'fusionize dlq' has no 'lst', did you mean 'list'?"],
  [['dlq'], "'fusionize dlq' needs one of list, replay"],
  [['--jsn'], "unknown option --jsn, did you mean '--json'?"],
  [['build', '--setpu', 'x'], "unknown option --setpu, did you mean '--setup'?"],
  [['build', '-q'], 'unknown option -q'],
  [['build', '--setup'], '--setup needs a value: --setup <notation>'],
  [['build', '--setup', '--cwd', '.'], '--setup needs a value'],
  [['build', '--json=yes'], '--json takes no value'],
  [['build', 'more'], "'more' is one argument too many"],
  [['invoke'], '<task> is missing'],
  [
    ['dev', '--isolation', 'process'],
    "--isolation must be processes or threads, not 'process', did you mean 'processes'?",
  ],
  [['dev', '--port', '99999'], "--port must be a whole number from 0 to 65535, not '99999'"],
  [['logs', '--last', 'many'], "--last must be a whole number 0 or more, not 'many'"],
  [['dlq', 'replay'], 'give the ids of dead letters, or --all'],
  [['invoke', 'x', '{oops'], 'the input is not JSON'],
  [['invoke', 'x', '@nowhere.json'], 'there is no such file'],
])('fusionize %j is refused with exit code 2: %s', async (args, words) => {
  const { code, stderr, stdout } = await fusionize(args, here)
  expect(stderr).toContain(words)
  expect(stderr).toContain('--help')
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})

test('with --json a wrong command line is one document too', async () => {
  const { code, stdout } = await fusionize(['build', '--setpu', 'x', '--json'], here)
  expect(code).toBe(2)
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'USAGE' } })
})

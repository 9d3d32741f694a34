import { FusionizeError } from 'fusionize'
import { expect, test } from 'vitest'
import { resolveConfig } from './config.js'
import { checkConfig } from './config-schema.js'

const problems = (value: unknown): unknown => {
  try {
    return checkConfig(value, 'c.ts')
  } catch (error) {
    if (error instanceof FusionizeError) return error.details?.problems
    throw error
  }
}

test('an empty configuration is right and gets every default', () => {
  expect(resolveConfig(checkConfig({}, 'c.ts'), 'shop')).toEqual({
    app: 'shop',
    tasks: ['tasks'],
    platform: 'local',
    local: {},
    aws: {},
    memory: 128,
    goal: { minimize: 'balanced' },
    constraints: {},
    env: {},
    load: {
      request: undefined,
      profiles: {
        steady: { kind: 'steady', rps: 10, seconds: 30 },
        burst: { kind: 'burst', from: 5, to: 40, step: 5, everySeconds: 2 },
        cold: { kind: 'cold', rps: 1, seconds: 20 },
      },
    },
  })
})

test('what the configuration says comes before the defaults', () => {
  const request = () => ({ task: 'a', input: 1 })
  const steady = { kind: 'steady', rps: 1, seconds: 2 } as const
  const config = { app: 'x', memory: 512, goal: { minimize: 'p95' }, load: { request, profiles: { steady } } }
  expect(resolveConfig(checkConfig(config, 'c.ts'), 'shop')).toMatchObject({
    app: 'x',
    memory: 512,
    goal: { minimize: 'p95' },
    load: { request, profiles: { steady, cold: { kind: 'cold' } } },
  })
})

test.each<[unknown, string]>([
  [5, 'the default export must be an object, not 5'],
  [{ taks: [] }, "unknown option 'taks', did you mean 'tasks'?; options are app, tasks,"],
  [{ aws: { regoin: 'x' } }, "unknown option 'aws.regoin', did you mean 'region'?"],
  [{ aws: { functionUrlAuth: 'none' } }, "'aws.functionUrlAuth' must be 'AWS_IAM', 'NONE' or 'off'"],
  [{ local: { prot: 1 } }, "unknown option 'local.prot', did you mean 'port'?; options of 'local' are isolation,"],
  [{ local: { port: 70000 } }, "'local.port' must be 65535 or less, not 70000"],
  [{ local: { port: 1.5 } }, "'local.port' must be a whole number, not 1.5"],
  [{ local: { isolation: 'vm' } }, "'local.isolation' must be 'processes' or 'threads', not \"vm\""],
  [{ local: { socket: 5 } }, "'local.socket' must be a boolean or a string, not 5"],
  [{ local: { socket: '' } }, '\'local.socket\' must be a text that is not empty, not ""'],
  [{ memory: '128' }, '\'memory\' must be a number, not "128"'],
  [{ memory: 0 }, "'memory' must be more than 0, not 0"],
  [{ tasks: [] }, "'tasks' must be a list with something in it, not []"],
  [{ tasks: ['a', 3] }, "'tasks.1' must be a string, not 3"],
  [{ env: { A: 1 } }, "'env.A' must be a string, not 1"],
  [{ app: '' }, '\'app\' must be a text that is not empty, not ""'],
  [{ load: {} }, "'load.request' must be a function, not absent"],
  [
    { load: { request() {}, profiles: { steady: { kind: 'stedy' } } } },
    "'load.profiles.steady.kind' must be 'steady', 'burst' or 'cold', not \"stedy\"",
  ],
  [
    { load: { request() {}, profiles: { cold: { kind: 'cold', rps: 1, seconds: 1, every: 2 } } } },
    "unknown option 'load.profiles.cold.every'; options of 'load.profiles.cold' are kind, rps, seconds",
  ],
  [{ constraints: { memory: { a: { mni: 1 } } } }, "unknown option 'constraints.memory.a.mni', did you mean 'min'?"],
])('%j is refused: %s', (value, words) => {
  const found = problems(value)
  expect(found).toHaveLength(1)
  expect((found as string[])[0]).toContain(words)
})

test('every mistake is told at once, with the file before each', () => {
  expect(() => checkConfig({ memory: -1, plaform: 'local' }, 'c.ts')).toThrow(
    /c\.ts: 'memory' must.*\nc\.ts: unknown option 'plaform'/,
  )
})

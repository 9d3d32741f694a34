import type { App } from 'fusionize/setup'
import { describe, expect, test } from 'vitest'
import { taskFile, testApp } from './test-app.js'

async function scanned(files: Record<string, string>): Promise<App> {
  return (await testApp(files)).builder.scan()
}

const put = (name: string, bucket = 'results', body = `await ${bucket}.put('k', input)`) =>
  taskFile(name, body, `import { ${bucket} } from '../buckets/${bucket}'`)

const bucketFile = (name: string, triggers = '', imports = '') =>
  `import * as f from 'fusionize'\nimport { bucket } from 'fusionize'\n${imports}\nexport const ${name} = bucket<any>('${name}')${triggers}\n`

const join = { 'tasks/join.ts': taskFile('join'), 'tasks/late.ts': taskFile('late') }
const importJoin = `import join from '../tasks/join'\nimport late from '../tasks/late'\nimport { custom, dynamicGroup, bySet } from 'fusionize'`

describe('the buckets of an app', () => {
  test('are read with their triggers, without running the code', async () => {
    const app = await scanned({
      ...join,
      'tasks/split.ts': put('split'),
      'buckets/results.ts': `import { bucket, bySet as whenAll, immediate } from 'fusionize'
${importJoin}
throw new Error('this must not run')
const keys = ['a', 'b']
export const results = bucket<number>('results')
  .on(
    whenAll(keys, {
      onIncomplete: late,
    }),
    join,
  )
  .on(immediate(), late) satisfies unknown`,
    })
    expect(app.buckets).toEqual({
      results: {
        name: 'results',
        file: 'buckets/results.ts',
        line: 7,
        triggers: [
          { trigger: 'whenAll(keys, { onIncomplete: late, })', task: 'join' },
          { trigger: 'whenAll(keys, { onIncomplete: late, })', task: 'late' },
          { trigger: 'immediate()', task: 'late' },
        ],
        producers: ['split'],
        fusible: true,
      },
    })
    expect(app.edges).toEqual([
      { from: 'split', to: 'join', modes: ['send'], buckets: ['results'] },
      { from: 'split', to: 'late', modes: ['send'], buckets: ['results'] },
    ])
  })

  test('are absent from an app that has none', async () => {
    expect(await scanned({ 'tasks/a.ts': taskFile('a') })).not.toHaveProperty('buckets')
  })

  test('may stand in a file of the folder of tasks, several in one, some without triggers or exported by default', async () => {
    const app = await scanned({
      ...join,
      'tasks/a.ts': taskFile('a', 'await x.put("k", 1); return y.get("k")', `import y, { x } from './both'`),
      'tasks/both.ts': `import { bucket, immediate } from 'fusionize'
import { join } from './barrel'
export default bucket('second')
const x = bucket('first').on(immediate(), join)
export { x }`,
      'tasks/barrel.ts': `export { default as join } from './join'`,
    })
    expect(Object.values(app.buckets ?? {}).map(({ name, producers }) => [name, producers])).toEqual([
      ['first', ['a']],
      ['second', []],
    ])
    expect(app.edges).toEqual([{ from: 'a', to: 'join', modes: ['send'], buckets: ['first'] }])
  })

  test.each<[string, boolean]>([
    ['immediate()', true],
    [`byName('k', { delivers: 'keys' })`, true],
    [`bySet(['a'])`, true],
    ['bySet(someKeys())', true],
    ['redundant(1, 2)', true],
    ['dynamicJoin()', true],
    ['dynamicGroup()', true],
    [`dynamicGroup({ onIncomplete: 'late' })`, true],
    [`dynamicGroup({ scope: 'application' })`, false],
    [`dynamicGroup({ scope: someScope })`, false],
    ['dynamicGroup({ ...rest })', false],
    ['byBatchSize(3)', false],
    [`byBatchSize(3, { scope: 'session' })`, true],
    [`byBatchSize(3, { scope: 'session', maxWaitMs: 10 })`, false],
    [`byBatchSize(3, { scope: 'session', maxWaitMs: undefined })`, true],
    ['byTime(1000)', false],
    [`custom('own', { scope: 'session', initial: 0, step: (state) => ({ state }) })`, true],
    [`custom('own', { scope: 'application', initial: 0, step: (state) => ({ state }) })`, false],
    [`custom('own', makeOptions())`, false],
    ['here', true],
    ['elsewhere', true],
    ['rules.byDefault', true],
    ['foreign', false],
    ['make()', false],
  ])('with %s: whether a function may evaluate them is %s', async (trigger, fusible) => {
    const text = trigger.replace(/^(?=[a-z]+\()(?!make)/i, 'f.')
    const app = await scanned({
      ...join,
      'buckets/own.ts': `import { custom } from 'fusionize'
const scope = 'session'
const options = { scope, initial: 0, step: (state: any) => ({ state }) }
export const elsewhere = custom('elsewhere', options)
export default custom('by-default', options)`,
      'buckets/rules.ts': `export { default as byDefault } from './own'`,
      'node_modules/triggers/package.json': '{ "name": "triggers", "main": "index.js" }',
      'node_modules/triggers/index.js': 'exports.foreign = null',
      'tasks/a.ts': put('a'),
      'buckets/results.ts': bucketFile(
        'results',
        `.on(${text}, join)`,
        `import join from '../tasks/join'
import { elsewhere } from './own'
import * as rules from './rules'
import { foreign } from 'triggers'
const here = f.dynamicJoin()`,
      ),
    })
    expect(app.buckets?.results?.fusible).toBe(fusible)
    expect(app.buckets?.results?.triggers).toContainEqual({ trigger: text, task: 'join' })
  })

  test('start what a trigger names that is written elsewhere', async () => {
    const app = await scanned({
      ...join,
      'tasks/a.ts': put('a'),
      'tasks/b.ts': taskFile('b', 'return when', `import { when } from '../buckets/when'`),
      'buckets/when.ts': `${importJoin}
const options = { onIncomplete: late }
export const when = bySet(['a'], options)`,
      'buckets/results.ts': bucketFile(
        'results',
        `.on(when, last).on(f.dynamicJoin({ onIncomplete: 'late' }), last)`,
        `import { when } from './when'\nimport join from '../tasks/join'\nconst last = join`,
      ),
    })
    expect(app.buckets?.results?.triggers).toEqual([
      { trigger: 'when', task: 'join' },
      { trigger: 'when', task: 'late' },
      { trigger: `f.dynamicJoin({ onIncomplete: 'late' })`, task: 'join' },
      { trigger: `f.dynamicJoin({ onIncomplete: 'late' })`, task: 'late' },
    ])
    expect(app.edges.filter(({ from }) => from === 'b')).toEqual([])
  })
})

describe('a producer', () => {
  const files = (tasks: Record<string, string>) => ({
    ...join,
    'buckets/results.ts': bucketFile('results', '.on(f.immediate(), join)', `import join from '../tasks/join'`),
    ...tasks,
  })
  const producers = async (tasks: Record<string, string>) =>
    (await scanned(files(tasks))).buckets?.results?.producers ?? []

  test.each<[string, string[]]>([
    [`await results.put('a', 1)`, ['a']],
    [`await (results as any)!.put('a', 1)`, ['a']],
    [`return Object.entries(input).map(results.put)`, ['a']],
    [`await results.expect(['a'])`, ['a']],
    [`results.source('left')`, ['a']],
    [`return results`, ['a']],
    [`return [results].length`, ['a']],
    [`return results.get('a')`, []],
    [`return results.bucketName`, []],
    [`const f = (results: any) => results.put('a', 1)`, []],
  ])('that says %s is found: %j', async (body, found) => {
    expect(await producers({ 'tasks/a.ts': put('a', 'results', body) })).toEqual(found)
  })

  test('may put through helpers, barrels, namespaces and lazy imports', async () => {
    const app = await scanned(
      files({
        'lib/barrel.ts': `export * from '../buckets/results'`,
        'lib/help.ts': `import { results } from './barrel'\nexport const help = () => results.put('k', 1)`,
        'tasks/a.ts': taskFile('a', 'await help()', `import { help } from '../lib/help'`),
        'tasks/b.ts': taskFile('b', 'await all.results.put("k", 1)', `import * as all from '../lib/barrel'`),
        'tasks/c.ts': taskFile('c', `await (await import('../buckets/results')).results.put('k', 1)`),
        'tasks/d.ts': taskFile('d', `await a(1)`, `import a from './a'`),
        'tasks/e.ts': taskFile('e', `return all.results.get('k')`, `import * as all from '../lib/barrel'`),
      }),
    )
    expect(app.buckets?.results?.producers).toEqual(['a', 'b', 'c'])
    expect(app.edges.filter(({ from }) => from === 'd')).toEqual([{ from: 'd', to: 'a', modes: ['call'] }])
    expect(app.edges.filter(({ from }) => from === 'e')).toEqual([])
  })

  test('that also sends to what it starts has one edge that says both', async () => {
    const app = await scanned(
      files({
        'tasks/a.ts': taskFile(
          'a',
          'await results.put("k", 1); await join(1); await late.send(1); await join.send(1)',
          `import { results } from '../buckets/results'\nimport join from './join'\nimport late from './late'`,
        ),
        'tasks/b.ts': put('b', 'results', 'await join(1); await results.put("k", 1)').replace(
          '\nimport',
          `\nimport join from './join'\nimport`,
        ),
      }),
    )
    expect(app.edges).toEqual([
      { from: 'a', to: 'join', modes: ['call', 'send'], buckets: ['results'], sends: true },
      { from: 'a', to: 'late', modes: ['send'] },
      { from: 'b', to: 'join', modes: ['call', 'send'], buckets: ['results'] },
    ])
  })

  test('that says who will put does not call that task', async () => {
    const body = `await worker.send(1); await results.expect({ key: 'k', from: worker, within: 10 })`
    const app = await scanned(
      files({
        'tasks/a.ts': put('a', 'results', body).replace('\nimport', `\nimport worker from './worker'\nimport`),
        'tasks/worker.ts': put('worker'),
      }),
    )
    expect(app.edges.find(({ to }) => to === 'worker')?.modes).toEqual(['send'])
  })

  test('may be started by the bucket itself, when it looks for it late', async () => {
    const lazy = `const { results } = await import('../buckets/results'); await results.put('k', 1)`
    const app = await scanned(files({ 'tasks/join.ts': taskFile('join', lazy) }))
    expect(app.edges).toEqual([{ from: 'join', to: 'join', modes: ['send'], buckets: ['results'] }])
  })
})

test('a task may answer from a bucket', async () => {
  const app = await scanned({
    ...join,
    'buckets/answers.ts': bucketFile('answers'),
    'tasks/ask.ts': taskFile(
      'ask',
      'await join.send(1)',
      `import { answers } from '../buckets/answers'\nimport join from './join'`,
      `{ http: 'POST /ask', result: answers }`,
    ),
    'tasks/ask-all.ts': taskFile(
      'ask-all',
      '',
      `import * as all from '../buckets/answers'`,
      `{ http: 'POST /all', result: all.answers }`,
    ),
  })
  expect(app.tasks.ask?.result).toBe('answers')
  expect(app.tasks['ask-all']?.result).toBe('answers')
  expect(app.buckets?.answers?.producers).toEqual([])
})

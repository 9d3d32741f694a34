import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appOf } from '../../test/apps.js'
import { appWithSetups } from '../../test/arbitraries.js'
import {
  type App,
  allFusedSetup,
  type Constraints,
  defaultSpec,
  type FunctionSpec,
  type FusionSetup,
  parseSetup,
  remoteSetup,
  type TaskInfo,
  type Violation,
  validate,
} from './index.js'

const memoryLadder = [128, 256, 512, 1024]
const shop = appOf({ checkout: 'POST /' }, [
  'checkout call pay',
  'pay call bank',
  'checkout send mail',
  'mail send log',
  'pay send log',
])

function check(text: string, constraints: Constraints = {}, app: App = shop): Violation[] {
  return validate(app, parseSetup(text, app), constraints, { memoryLadder })
}

function checkWith(fn: string, spec: unknown): Violation[] {
  const setup = remoteSetup(shop, 128)
  setup.functions[fn] = spec as FunctionSpec
  return validate(shop, setup, {}, { memoryLadder })
}

const remote = '(checkout)@128-(bank)@128-(log)@128-(mail)@128-(pay)@128'
const fused = '(checkout, bank, log, mail, pay)@128'

test('every generated setup that keeps to the tasks own options is accepted', () => {
  fc.assert(
    fc.property(appWithSetups(1, memoryLadder), ({ app, setups: [setup] }) => {
      expect(validate(app, setup as FusionSetup, {}, { memoryLadder })).toEqual([])
    }),
    { numRuns: 300 },
  )
})

test('the reference setups are valid', () => {
  expect(validate(shop, remoteSetup(shop, 128), {}, { memoryLadder })).toEqual([])
  expect(validate(shop, allFusedSetup(shop, 1024), {}, { memoryLadder })).toEqual([])
})

test('every task needs a function, every function a task', () => {
  const setup = remoteSetup(shop, 128)
  delete setup.functions.pay
  setup.functions.bak = defaultSpec(128)
  expect(validate(shop, setup, {}, { memoryLadder })).toEqual([
    {
      rule: 'missing-function',
      function: 'pay',
      message: "task 'pay' has no function; every task needs one of its name in every setup: add it",
    },
    {
      rule: 'unknown-task',
      function: 'bak',
      message: "a function names 'bak', which is no task of the app, did you mean 'bank'?; remove or rename it",
    },
  ])
})

test.each<[string, Partial<FunctionSpec>]>([
  ['inline.call', { inline: { call: ['nobody'], send: [], map: [] } }],
  ['inline.send', { inline: { call: [], send: ['nobody'], map: [] } }],
  ['inline.map', { inline: { call: [], send: [], map: ['nobody'] } }],
  ['bundle', { bundle: { nobody: 2 } }],
  ['passing', { passing: { nobody: 'store' } }],
  ['prewarm', { prewarm: { nobody: 2 } }],
])('an unknown task in %s is named', (where, spec) => {
  expect(checkWith('pay', { ...defaultSpec(128), ...spec })).toEqual([
    {
      rule: 'unknown-task',
      function: 'pay',
      message: `${where} of function 'pay' names 'nobody', which is no task of the app; remove or rename it`,
    },
  ])
})

test.each<[string, Constraints]>([
  ['isolate', { isolate: ['pai'] }],
  ['together', { together: [['pai', 'bank']] }],
  ['apart', { apart: [['bank', 'pai']] }],
  ['memory', { memory: { pai: { min: 128 } } }],
  ['zones', { zones: { card: ['pai'] } }],
])('an unknown task in constraints.%s is named', (key, constraints) => {
  expect(check(remote, constraints)).toEqual([
    {
      rule: 'unknown-task',
      message: `constraints.${key} names 'pai', which is no task of the app, did you mean 'pay'?; correct the configuration`,
    },
  ])
})

test.each<[string, (spec: FunctionSpec) => unknown, string]>([
  ['no object', () => null, 'it must be an object'],
  ['a missing field', ({ memory: _, ...rest }) => rest, "'memory' is missing"],
  ['an unknown field', (spec) => ({ ...spec, cpu: 2 }), "'cpu' is no field"],
  ['inline of the wrong kind', (spec) => ({ ...spec, inline: [] }), "'inline' must be an object"],
  ['an unknown mode', (spec) => ({ ...spec, inline: { ...spec.inline, async: [] } }), "'inline.async' is no mode"],
  ['a missing mode', (spec) => ({ ...spec, inline: { call: [], send: [] } }), "'inline.map' must be a list"],
  [
    'an unsorted list',
    (spec) => ({ ...spec, inline: { ...spec.inline, call: ['pay', 'bank'] } }),
    'sorted and without duplicates: [bank, pay]',
  ],
  ['a duplicate', (spec) => ({ ...spec, buckets: ['a', 'a'] }), "'buckets' must be sorted and without duplicates: [a]"],
  ['memory of the wrong kind', (spec) => ({ ...spec, memory: '128' }), "'memory' must be a number"],
  ['concurrency of the wrong kind', (spec) => ({ ...spec, concurrency: null }), "'concurrency' must be a number"],
  ['an unknown way of parallelism', (spec) => ({ ...spec, parallel: 'fork' }), "'parallel' must be one of"],
  ['a bundle of the wrong kind', (spec) => ({ ...spec, bundle: { pay: '2' } }), `'bundle.pay' is "2"`],
  ['a negative prewarm', (spec) => ({ ...spec, prewarm: { pay: -1 } }), "'prewarm.pay' is -1"],
  ['an unknown passing', (spec) => ({ ...spec, passing: { pay: 'mail' } }), `'passing.pay' is "mail"`],
])('%s is a matter of shape', (_, change, words) => {
  const [violation, ...more] = checkWith('pay', change(defaultSpec(128)))
  expect(more).toEqual([])
  expect(violation).toMatchObject({ rule: 'shape', function: 'pay' })
  expect(violation?.message).toMatch(/^function 'pay' is not well-formed: /)
  expect(violation?.message).toContain(words)
})

test.each([[null], [[]], [{}], [{ functions: [] }]])('%j is no setup', (setup) => {
  expect(validate(shop, setup as never, {}, { memoryLadder })).toMatchObject([{ rule: 'shape' }])
})

test.each([
  ['[concurrency 0]', 'concurrency'],
  ['[concurrency 1.5]', 'concurrency'],
  ['[bundle pay 0]', 'bundle'],
  ['[bundle pay 2.5]', 'bundle'],
])('%s is no whole number of 1 or more', (options, rule) => {
  expect(check(remote.replace('(checkout)@128', `(checkout)@128${options}`))).toMatchObject([
    { rule, function: 'checkout' },
  ])
})

const frames = { from: ['pay'], to: ['mail', 'log'] }
const bucketShop = appOf({ checkout: 'POST /' }, ['checkout call pay', 'pay call bank', 'checkout send mail'], {
  frames,
  clicks: { ...frames, fusible: false },
})

test('a function can only evaluate buckets that the app has and that bear it', () => {
  const setup = remoteSetup(bucketShop, 128)
  setup.functions.pay = { ...defaultSpec(128), buckets: ['clicks', 'frame', 'frames'] }
  expect(validate(bucketShop, setup, {}, { memoryLadder })).toEqual([
    {
      rule: 'bucket',
      function: 'pay',
      message:
        "bucket 'clicks' cannot be evaluated by function 'pay': one of its triggers has a clock or sees more than one session; remove it there",
    },
    {
      rule: 'bucket',
      function: 'pay',
      message:
        "buckets of function 'pay' names 'frame', which is no bucket of the app, did you mean 'frames'?; remove or rename it",
    },
  ])
  expect(checkWith('pay', { ...defaultSpec(128), buckets: ['frames'] })).toMatchObject([{ rule: 'bucket' }])
})

test('what a bucket brings into a function is bound by isolation, distance, zones and memory', () => {
  const text = '(checkout, pay | frames)@128-(bank)@128-(log)@128-(mail)@128'
  const edge = { from: 'pay', to: 'log', mode: 'send' }
  const wayOut = "remove 'frames' from buckets of 'checkout' (put there by 'pay')"
  const zones = { card: ['checkout'], office: ['log'] }
  expect(check(text, { isolate: ['log'] }, bucketShop)).toEqual([
    {
      rule: 'isolate',
      function: 'checkout',
      edge,
      message: `function 'checkout' runs 'log' too, but 'log' is isolated; ${wayOut}`,
    },
  ])
  expect(check(text, { apart: [['checkout', 'log']] }, bucketShop)).toMatchObject([{ rule: 'apart', edge }])
  expect(check(text, { zones }, bucketShop)).toMatchObject([{ rule: 'zone', edge }])
  const hungry = { ...bucketShop, tasks: { ...bucketShop.tasks } }
  hungry.tasks.log = { ...(bucketShop.tasks.log as TaskInfo), memory: { min: 256 } }
  const message = `function 'checkout' has 128 MB, but task 'log' in it demands at least 256 MB; change its memory or ${wayOut}`
  expect(check(text.replace('(log)@128', '(log)@256'), {}, hungry)).toMatchObject([{ rule: 'memory-bound', message }])
})

test('a task that gets into a function by a send and through a bucket has two ways out', () => {
  const text = '(checkout, mail, pay | frames)@128-(bank)@128-(log)@128-(mail)@128'
  const [violation] = check(text, { isolate: ['mail'] }, bucketShop)
  expect(violation?.message).toBe(
    "function 'checkout' runs 'mail' too, but 'mail' is isolated; remove 'mail' from inline.send of 'checkout' (reached from 'checkout') and remove 'frames' from buckets of 'checkout' (put there by 'pay')",
  )
})

test('tasks that belong together may meet in a bucket of the platform', () => {
  expect(check(remote, { together: [['pay', 'log']] }, bucketShop)).toEqual([])
})

test('memory must be on the ladder', () => {
  expect(check(remote.replace('(pay)@128', '(pay)@200'))).toEqual([
    {
      rule: 'memory-ladder',
      function: 'pay',
      message: "function 'pay' has 200 MB, which the platform does not offer; choose one of 128, 256, 512, 1024 MB",
    },
  ])
})

test('constraints on memory hold for the function of that name', () => {
  const constraints = { memory: { checkout: { min: 256 }, pay: { max: 512 } } }
  expect(check(remote.replace('(pay)@128', '(pay)@1024'), constraints)).toEqual([
    {
      rule: 'memory-bound',
      function: 'checkout',
      message: "function 'checkout' has 128 MB, but constraints.memory says at least 256 MB; change its memory",
    },
    {
      rule: 'memory-bound',
      function: 'pay',
      message: "function 'pay' has 1024 MB, but constraints.memory says at most 512 MB; change its memory",
    },
  ])
  expect(check('(checkout, bank, log, mail, pay)@1024', constraints)).toEqual([])
})

test('what a task demands of memory holds wherever it runs', () => {
  const hungry: App = {
    ...shop,
    tasks: { ...shop.tasks, bank: { ...(shop.tasks.bank as TaskInfo), memory: { min: 512 } } },
  }
  expect(check('(checkout, pay, bank)@128-(log)@128-(mail)@128', {}, hungry)).toEqual([
    {
      rule: 'memory-bound',
      function: 'checkout',
      message:
        "function 'checkout' has 128 MB, but task 'bank' in it demands at least 512 MB; change its memory or remove 'bank' from inline.call of 'checkout' (reached from 'pay')",
    },
  ])
  expect(check('(checkout, pay)@128-(log)@128-(mail)@128-(bank)@512', {}, hungry)).toEqual([])
})

test('an isolated task shares its function with nobody, as a guest or as a host', () => {
  const violation = {
    rule: 'isolate',
    function: 'checkout',
    edge: { from: 'checkout', to: 'pay', mode: 'call' },
    message:
      "function 'checkout' runs 'pay' too, but 'pay' is isolated; remove 'pay' from inline.call of 'checkout' (reached from 'checkout')",
  }
  const text = '(checkout, pay)@128-(bank)@128-(log)@128-(mail)@128'
  expect(check(text, { isolate: ['pay'] })).toEqual([violation])
  const own: App = { ...shop, tasks: { ...shop.tasks, pay: { ...(shop.tasks.pay as TaskInfo), isolate: true } } }
  expect(check(text, {}, own)).toEqual([violation])
  expect(check(text, { isolate: ['checkout'] })).toMatchObject([{ rule: 'isolate', function: 'checkout' }])
  expect(check(remote, { isolate: ['checkout', 'pay'] }, own)).toEqual([])
})

test('an isolated task may call itself inline', () => {
  const app = appOf({ walk: { http: { method: 'GET', path: '/' }, isolate: true } }, ['walk call walk'])
  expect(check('(walk, walk)@128', {}, app)).toEqual([])
})

test('tasks that belong together reach each other inline, in every function that runs the caller', () => {
  const constraints = { together: [['pay', 'bank']] }
  const inside = check('(checkout, pay)@128-(bank)@128-(log)@128-(mail)@128', constraints)
  expect(inside).toEqual([
    {
      rule: 'together',
      function: 'checkout',
      edge: { from: 'pay', to: 'bank', mode: 'call' },
      message:
        "in function 'checkout' 'pay' reaches 'bank' remotely (call), but they belong together: add 'bank' to inline.call of 'checkout'",
    },
  ])
  expect(check(remote, constraints)).toMatchObject([{ rule: 'together', function: 'pay' }])
  expect(check('(checkout)@128-(log)@128-(mail)@128-(pay, bank)@128', constraints)).toEqual([])
})

test('tasks that must be apart are not in one function, even when only a third task is between them', () => {
  const constraints = { apart: [['checkout', 'bank']] }
  expect(check('(checkout, pay, bank)@128-(log)@128-(mail)@128', constraints)).toEqual([
    {
      rule: 'apart',
      function: 'checkout',
      edge: { from: 'pay', to: 'bank', mode: 'call' },
      message:
        "function 'checkout' runs both: 'checkout' and 'bank' must be apart; remove 'bank' from inline.call of 'checkout' (reached from 'pay')",
    },
  ])
  expect(check('(checkout, pay)@128-(bank)@128-(log)@128-(mail)@128', constraints)).toEqual([])
})

test('tasks of different zones share no function; a task without a zone goes anywhere', () => {
  const zones = { card: ['pay', 'bank'], office: ['mail'] }
  expect(check(fused, { zones })).toEqual([
    {
      rule: 'zone',
      function: 'checkout',
      edge: { from: 'checkout', to: 'mail', mode: 'send' },
      message:
        "function 'checkout' runs both: 'bank' is in zone 'card' and 'mail' in zone 'office'; remove 'mail' from inline.send of 'checkout' (reached from 'checkout')",
    },
  ])
  expect(check('(checkout, bank, log, pay)@128-(mail, log)@128', { zones })).toEqual([])
})

test('a task in two zones is an error of the constraints', () => {
  expect(check(remote, { zones: { a: ['pay'], b: ['pay'] } })).toEqual([
    { rule: 'zone', message: "'pay' is in zone 'a' and in zone 'b'; keep it in one of them" },
  ])
})

test('a function that need not exist breaks no rule of placement', () => {
  const setup = allFusedSetup(shop, 128)
  setup.functions.checkout = defaultSpec(128)
  setup.functions.pay = defaultSpec(128)
  const found = validate(shop, setup, { isolate: ['log'] }, { memoryLadder })
  expect(found.map((x) => x.function)).toEqual(['mail'])
})

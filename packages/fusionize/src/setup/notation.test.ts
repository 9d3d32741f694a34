import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appOf } from '../../test/apps.js'
import { appWithSetups } from '../../test/arbitraries.js'
import { FusionizeError } from '../errors.js'
import {
  allFusedSetup,
  defaultSpec,
  effectiveSetup,
  type FusionSetup,
  normalizeSetup,
  parseSetup,
  printSetup,
  remoteSetup,
  setupsEqual,
  validate,
} from './index.js'

const calls = ['ingest call check', 'check send store', 'check map store']
const app = appOf({ ingest: 'POST /readings' }, calls)
const withFrames = appOf({ ingest: 'POST /readings' }, calls, {
  frames: { from: ['check'], to: ['store', 'report'] },
  clicks: { from: ['check'], to: [], fusible: false },
})

test('reading what was written gives the same setup, whatever the setup', () => {
  fc.assert(
    fc.property(appWithSetups(1), ({ setups: [setup] }) => {
      expect(parseSetup(printSetup(setup as FusionSetup))).toEqual(setup)
    }),
    { numRuns: 500 },
  )
})

test('reading what was written for an app gives a valid setup of the same effect and the same text', () => {
  fc.assert(
    fc.property(appWithSetups(1), ({ app, setups: [setup] }) => {
      const text = printSetup(setup as FusionSetup, app)
      const read = parseSetup(text, app)
      expect(effect(app, read)).toEqual(effect(app, setup as FusionSetup))
      expect(printSetup(read, app)).toBe(text)
      expect(validate(app, read, {}, { memoryLadder: [128, 256, 512, 1024] })).toEqual([])
    }),
    { numRuns: 500 },
  )
})

test('common setups read as the papers write them', () => {
  expect(printSetup(remoteSetup(app, 128), app)).toBe('(ingest)@128-(check)@128-(store)@128')
  expect(printSetup(allFusedSetup(app, 768), app)).toBe('(ingest, check, store)@768')
  const callsOnly = remoteSetup(app, 128)
  callsOnly.functions.ingest = { ...defaultSpec(768), inline: { call: ['check'], send: [], map: [] } }
  expect(printSetup(callsOnly, app)).toBe('(ingest, check)@768-(store)@128')
})

test('what the plain form cannot say has a marker', () => {
  const setup: FusionSetup = {
    functions: {
      check: {
        memory: 1769,
        inline: { call: ['check'], send: ['check', 'store'], map: ['check'] },
        bundle: { store: 10 },
        buckets: ['clicks', 'frames'],
        concurrency: 4,
        parallel: 'threads',
        passing: { store: 'direct' },
        prewarm: { store: 250.5 },
      },
      store: defaultSpec(128),
    },
  }
  const text =
    '(check, check, store:send | clicks, frames)@1769[concurrency 4, threads, bundle store 10, pass store direct, prewarm store 250.5ms]-(store)@128'
  expect(printSetup(setup)).toBe(text)
  expect(parseSetup(text)).toEqual(setup)
})

test('spaces and line breaks are free', () => {
  const text = '( a ,b : call + send ) @ 128 [ concurrency 2 , prewarm b 10 ms ]\n - (b)@256\n'
  expect(setupsEqual(parseSetup(text), parseSetup('(a,b:call+send)@128[concurrency 2,prewarm b 10ms]-(b)@256'))).toBe(
    true,
  )
})

test('with an app, functions that nothing can reach may be left out; they get the memory of the function that runs their task', () => {
  const setup = parseSetup('(ingest, check)@768-(store)@256', app)
  expect(setup.functions.check).toEqual(defaultSpec(768))
  expect(setup.functions.ingest?.inline).toEqual({ call: ['check'], send: [], map: [] })
})

test('buckets that a function evaluates itself stand behind a bar', () => {
  expect(printSetup(allFusedSetup(withFrames, 768), withFrames)).toBe('(ingest, check, report, store | frames)@768')
  const apart = '(ingest, check | frames)@256-(report)@128-(store)@128'
  expect(printSetup(parseSetup(apart, withFrames), withFrames)).toBe(apart)
  expect(parseSetup(apart, withFrames).functions.ingest?.buckets).toEqual(['frames'])
  const unused = parseSetup('(ingest | frames)@256-(check)@128-(report)@128-(store)@128', withFrames)
  expect(unused.functions.ingest?.buckets).toEqual([])
})

test.each([
  ['', 1, "'('"],
  ['(ingest', 8, "',' and another task, or ')'"],
  ['(ingest)', 9, "'@' and the memory in MB"],
  ['(ingest)@', 10, 'the memory in MB'],
  ['(ingest)@big', 10, 'the memory in MB'],
  ['(Ingest)@128', 2, "a task of 'sketch', but 'Ingest' is none, did you mean 'ingest'?"],
  ['(ingest,)@128', 9, 'the name of a task'],
  ['(ingest, chek)@128', 10, "a task of 'sketch', but 'chek' is none, did you mean 'check'?"],
  ['(ingest, check, check)@128', 17, "another task: 'check' is listed already"],
  ['(ingest, check:async)@128', 16, 'one of call, send, map'],
  ['(ingest)@128-(ingest)@128', 15, "another task: 'ingest' has a group already"],
  ['(ingest)@128 (check)@128', 14, "'-' and another group, or the end"],
  ['(ingest)@128-', 14, "'('"],
  ['(ingest)@128[fast]', 14, 'one of concurrency, loop, threads, processes, bundle, pass, prewarm'],
  ['(ingest |)@128', 10, 'the name of a bucket'],
  ['(ingest | frame)@128', 11, "a bucket of 'sketch', but 'frame' is none, did you mean 'frames'?"],
  ['(ingest | frames, frames)@128', 19, "another bucket: 'frames' is listed already"],
  ['(ingest | frames:send)@128', 17, "',' and another bucket, or ')'"],
  [
    '(ingest | clicks)@128',
    11,
    "a bucket that a function can evaluate: 'clicks' has a trigger with a clock or for more than one session",
  ],
  ['(ingest)@128[concurrency many]', 26, 'the requests at a time per sandbox'],
  ['(ingest)@128[bundle 4]', 21, 'the name of a task'],
  ['(ingest)@128[pass check mail]', 25, 'one of payload, local, direct, store'],
  ['(ingest)@128[prewarm check 5s]', 29, "'ms'"],
  ['(ingest)@128[threads', 21, "',' and another option, or ']'"],
  ['(ingest)@128', 13, "'-(check)@128': 'check' is an entry or called remotely, so it needs a function of its own"],
  [
    '(check)@128-(store)@128',
    24,
    "'-(ingest)@128': 'ingest' is an entry or called remotely, so it needs a function of its own",
  ],
])('%j is refused at position %i', (text, position, expected) => {
  const error = errorOf(() => parseSetup(text, text.includes('|') ? withFrames : app))
  expect(error).toMatchObject({ code: 'INVALID_SETUP', details: { position: position - 1, expected, text } })
  expect(error.message).toContain(`position ${position} (`)
  expect(error.message).toContain(`expected ${expected}`)
})

test('any text is read or refused with a position in it', () => {
  const pieces = fc.constantFrom(
    '(',
    ')',
    '@',
    '-',
    ',',
    ':',
    '+',
    '[',
    ']',
    '|',
    ' ',
    'a',
    'b',
    'call',
    '128',
    'threads',
    'bundle',
    '1e9',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          expect(normalizeSetup(parseSetup(text))).toEqual(parseSetup(text))
        } catch (error) {
          expect(error).toBeInstanceOf(FusionizeError)
          const position = (error as FusionizeError).details?.position as number
          expect(position >= 0 && position <= text.length).toBe(true)
        }
      },
    ),
    { numRuns: 1000 },
  )
})

/** Normal form of the effective setup. */
function effect(of: typeof app, setup: FusionSetup): FusionSetup {
  return normalizeSetup(effectiveSetup(of, setup))
}

function errorOf(run: () => unknown): FusionizeError {
  try {
    run()
  } catch (error) {
    return error as FusionizeError
  }
  throw new Error('nothing was thrown')
}

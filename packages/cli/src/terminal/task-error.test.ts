import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { formatTaskError } from './task-error.js'

test('only the application’s own frames are shown, and where the error crossed', () => {
  const stack = [
    'TypeError: no',
    '    at price (/shop/tasks/price.ts:7:34)',
    '    at async file:///shop/lib/sum.ts:2:1',
    '    at AsyncLocalStorage.run (node:async_hooks:346:14)',
    '    at run (npm:fusionize/src/runtime/run.ts:73:34)',
    '    at load (/shop/node_modules/pg/index.js:1:1)',
    '    at load (/elsewhere/x.js:1:1)',
    "    --- called by task 'checkout'",
    '    at construct (npm:fusionize/src/runtime/wire-errors.ts:57:10)',
  ].join('\n')
  expect(
    stripVTControlCharacters(formatTaskError({ name: 'TypeError', message: 'no', code: 'E', stack }, '/shop')).split(
      '\n',
    ),
  ).toEqual([
    'TypeError: no [E]',
    '  at price (tasks/price.ts:7:34)',
    '  at async lib/sum.ts:2:1',
    "  called by task 'checkout'",
  ])
})

test('causes follow, and fusionize’s own errors go by their code', () => {
  const cause = { name: 'Error', message: 'deeper' }
  const text = stripVTControlCharacters(
    formatTaskError({ name: 'FusionizeError', message: 'late', code: 'TIMEOUT', cause }, '/shop'),
  )
  expect(text).toBe('late [TIMEOUT]\ncaused by Error: deeper')
})

import fc from 'fast-check'
import pc from 'picocolors'
import { expect, test } from 'vitest'
import { exampleOutcome } from '../../test/support/outcome.js'
import { colorsFor } from './colors.js'
import { html, Markup } from './markup.js'
import { reportPage } from './page.js'
import { linearScale, logScale } from './scale.js'
import { shortenNotation } from './shorten.js'
import { outcomeText } from './table.js'

const plain = pc.createColors(false)

test('everything that is not markup is escaped', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const out = html`<p title="${text}">${text}</p>`.text
      const inner = out.slice('<p title="'.length, -'</p>'.length)
      expect(inner.replaceAll(/&#\d+;/g, '').match(/[<>"']/g)).toEqual(['"', '>'])
    }),
  )
  expect(html`${new Markup('<b>')}${['<', null, undefined, false, 0]}`.text).toBe('<b>&#60;0')
})

test('the page shows names and errors as text, never as markup', () => {
  const page = reportPage(exampleOutcome())
  expect(page).not.toContain('<script')
  expect(page).toContain('&#60;script&#62;')
  expect(page).toContain('shop &#60;&#38;&#62;')
})

test('the page loads nothing', () => {
  const page = reportPage(exampleOutcome()).replaceAll('http://www.w3.org/2000/svg', '')
  expect(page).not.toMatch(/https?:|src=|href=|@import|<link/)
})

test('every tag that the page opens it closes', () => {
  const open: string[] = []
  for (const [tag, slash, name, selfClosing] of reportPage(exampleOutcome()).matchAll(
    /<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/g,
  )) {
    if (slash) expect(open.pop()).toBe(name)
    else if (!selfClosing && name !== 'meta' && name !== 'link') open.push(name as string)
    expect(tag).toBeTruthy()
  }
  expect(open).toEqual([])
})

test('the page has charts, both call graphs and what was measured how; no figure is NaN', () => {
  const page = reportPage(exampleOutcome())
  for (const text of [
    'Latency',
    'USD per million requests',
    'Call graph before',
    'Call graph after',
    'Example CPU',
    'journal',
  ])
    expect(page).toContain(text)
  expect(page).not.toMatch(/NaN|undefined|Infinity/)
})

test('without cost the page says so and still shows latency', () => {
  const page = reportPage(exampleOutcome(null))
  expect(page).toContain('Cost could not be measured')
  expect(page).toContain('no cgroup is writable')
  expect(page).toContain('aria-label="Latency of every setup"')
})

test.each([80, 100, 120])('the table fits %i columns', (columns) => {
  for (const line of outcomeText(exampleOutcome(), plain, columns)
    .split('\n')
    .filter((x) => /^ {4,}[\dn]/.test(x)))
    expect(line.length).toBeLessThanOrEqual(Math.max(columns, 100))
})

test('the table marks the adopted setup, indicative percentiles and failures', () => {
  const text = outcomeText(exampleOutcome(), plain, 120)
  expect(text).toMatch(/★ 4 \(checkout, cart, email, price, stock\)@768/)
  expect(text).toMatch(/208 \[187, 229\]\*/)
  expect(text).toMatch(/not adopted: sandbox/)
  expect(text).toMatch(/remote@best/)
})

test('a platform that cannot tell cost says why', () => {
  expect(outcomeText(exampleOutcome(null), plain)).toMatch(/null[\s\S]*Cost is null: no cgroup is writable/)
})

test('a long notation loses lone functions first, then members, then its end', () => {
  const long = '(a)@128-(b, c, d)@768-(e)@128-(f)@128-(g)@128-(h)@256-(i, j)@512'
  expect(shortenNotation(long, 70)).toBe(long)
  expect(shortenNotation(long, 60)).toBe('(a)@128-(b, c, d)@768-(i, j)@512-3 alone@128-1 alone@256')
  expect(shortenNotation(long, 55)).toBe('(a)@128-(b, +2)@768-(i, +1)@512-3 alone@128-1 alone@256')
  expect(shortenNotation(long, 20)).toBe('(a)@128-(b, +2)@768…')
  fc.assert(fc.property(fc.integer({ min: 1, max: 60 }), (width) => shortenNotation(long, width).length <= width))
})

test('axes begin and end outside their values', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
      fc.double({ min: 1, max: 1e4, noNaN: true }),
      (min, factor) => {
        for (const scale of [linearScale(min * factor, 100), logScale(min, min * factor, 100)]) {
          expect(scale.at(min * factor)).toBeGreaterThanOrEqual(-1e-6)
          expect(scale.at(min)).toBeLessThanOrEqual(100 + 1e-6)
          expect(scale.ticks.length).toBeLessThan(40)
        }
      },
    ),
  )
})

test('colours follow the terminal and NO_COLOR', () => {
  const painted = (stream: { isTTY?: boolean }, env: Record<string, string>) => colorsFor(stream, env).red('x') !== 'x'
  expect(painted({ isTTY: true }, {})).toBe(true)
  expect(painted({ isTTY: true }, { NO_COLOR: '1' })).toBe(false)
  expect(painted({}, {})).toBe(false)
  expect(painted({}, { FORCE_COLOR: '1' })).toBe(true)
})

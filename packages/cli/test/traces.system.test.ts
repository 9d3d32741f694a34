import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { fusionize, makeApp } from './support/fusionize.js'

const fixture = (name: string) =>
  readFile(fileURLToPath(new URL(`../../planner/test/fixtures/traces/${name}`, import.meta.url)), 'utf8')

test('advise and characterize read files of several formats, and tell what they skipped', async () => {
  const dir = await makeApp({
    'spans.json': await fixture('otlp-lambda.json'),
    'broken.jsonl': await fixture('otlp-broken.jsonl'),
    'xray.json': await fixture('xray-batch-get-traces.json'),
  })
  const files = ['spans.json', 'broken.jsonl', 'xray.json']
  const advise = await fusionize(['advise', ...files, '--json', '--html', 'advice.html'], dir)
  expect(advise.code).toBe(0)
  expect(JSON.parse(advise.stdout)).toMatchObject({
    requests: 5,
    input: { traces: 5, skipped: 11, files: files.map((file) => ({ file })) },
  })
  expect(advise.stderr).toMatch(/broken\.jsonl:2: a text that does not end on its line/)
  expect(advise.stderr).toMatch(/11 things skipped, the first 10/)
  expect(await readFile(join(dir, 'advice.html'), 'utf8')).toMatch(/Advice from traces/)
  const text = await fusionize(['advise', ...files], dir)
  expect(text.stdout).toMatch(/order → stock/)
  const shape = await fusionize(
    ['characterize', '-', '--json', '--html', 'shape.html'],
    dir,
    await fixture('otlp-lambda.json'),
  )
  expect(shape).toMatchObject({ code: 0 })
  expect(JSON.parse(shape.stdout)).toMatchObject({ requests: 1, input: { files: [{ file: 'stdin' }] } })
  expect(await readFile(join(dir, 'shape.html'), 'utf8')).toMatch(/What requests look like/)
  const broken = await fusionize(['characterize', ...files, '--json'], dir)
  expect(broken.code).toBe(0)
  expect(JSON.parse(broken.stdout)).toMatchObject({ requests: 5, input: { skipped: 11 } })
  expect(broken.stderr).toMatch(/broken\.jsonl:2: a text that does not end on its line/)
})

test('nothing usable is exit code 1, a wrong command line 2', async () => {
  const dir = await makeApp({ 'notes.txt': 'hello\nworld\n', 'other.json': '{"level":"info"}\n' })
  const nothing = await fusionize(['advise', 'notes.txt', 'other.json'], dir)
  expect(nothing).toMatchObject({ code: 1, stdout: '' })
  expect(nothing.stderr).toMatch(/no request could be read from notes\.txt, other\.json/)
  expect(nothing.stderr).toMatch(/notes\.txt:1: not JSON/)
  expect(nothing.stderr).toMatch(/other\.json:1: no known format \(fields level\)/)
  const asJson = await fusionize(['characterize', 'other.json', '--json'], dir)
  expect(asJson.code).toBe(1)
  expect(JSON.parse(asJson.stdout)).toMatchObject({ error: { code: 'NOTHING_USABLE', input: { skipped: 1 } } })
  for (const args of [
    ['advise'],
    ['advise', 'nowhere.json'],
    ['advise', '.'],
    ['characterize', '-', '-'],
    ['advise', 'other.json', '--memory', 'much'],
  ])
    expect((await fusionize(args, dir)).code).toBe(2)
})

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fusionize, makeApp, shop, start } from './support/fusionize.js'

test('build tells what it made, and makes it once', async () => {
  const dir = await makeApp(shop)
  const first = JSON.parse(
    (await fusionize(['build', '--json', '--setup', '(greet, title)@256-(note)@128-(reverse)@128'], dir)).stdout,
  )
  const functions = (document: { functions: { function: string; tasks: string[]; rebuilt: boolean }[] }) =>
    document.functions.map(({ function: name, rebuilt, tasks }) => [name, tasks.join('+'), rebuilt])
  expect(functions(first)).toEqual([
    ['greet', 'greet+title', true],
    ['reverse', 'reverse', true],
  ])
  const again = await fusionize(['build', '--setup', '(greet, title)@256-(note)@128-(reverse)@128'], dir)
  expect(again.stdout).toMatch(/greet +title +256 MB .* unchanged/)
  expect(again.code).toBe(0)
})

test('invoke runs a task without a server and prints what it returned', async () => {
  const dir = await makeApp(shop)
  expect(await fusionize(['invoke', 'greet', '"Ada"'], dir)).toMatchObject({ code: 0, stdout: '"Hello Dr Ada"\n' })
  await writeFile(join(dir, 'name.json'), '"Grace"')
  const { stdout, stderr } = await fusionize(['invoke', 'greet', '@name.json', '--json', '--time'], dir)
  const document = JSON.parse(stdout)
  expect(document).toMatchObject({ ok: true, output: 'Hello Dr Grace' })
  expect(document.invocations.map((x: { function: string }) => x.function)).toEqual(['greet', 'title'])
  expect(stderr).toMatch(/greet .*cold/)
})

test('a task that fails is shown with its code and the line that threw, and exits with 1', async () => {
  const dir = await makeApp(shop)
  const { code, stderr, stdout } = await fusionize(['invoke', 'greet', '-'], dir, '"nobody"')
  expect(stderr).toContain('TypeError: there is nobody [NOBODY]')
  expect(stderr).toMatch(/^ {2}at .*tasks\/greet\.ts:5:/m)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
})

test('a task that does not exist is refused with a suggestion', async () => {
  const { code, stderr } = await fusionize(['invoke', 'gret', '1'], await makeApp(shop))
  expect(stderr).toContain("there is no task 'gret', did you mean 'greet'?")
  expect(code).toBe(1)
})

test('a send runs here until it is done; what fails for good is a dead letter that can be listed and replayed', async () => {
  const dir = await makeApp({
    ...shop,
    'tasks/note.ts': shop['tasks/note.ts'].replace("'note',", "'note', { http: 'POST /notes' },"),
  })
  const failed = await fusionize(['send', 'note', '"tea"', '--json'], dir)
  expect(failed.code).toBe(1)
  expect(failed.stderr).toContain('the printer is out of paper')
  const { error } = JSON.parse(failed.stdout)
  expect(error).toMatchObject({
    code: 'DEAD_LETTER',
    waited: true,
    dead: [{ id: error.id, task: 'note', attempts: 2 }],
  })

  const listed = await fusionize(['dlq', 'list'], dir)
  expect(listed.stdout).toMatch(new RegExp(`${error.id} +note +2 .* Error: the printer is out of paper +"tea"`))
  expect(JSON.parse((await fusionize(['status', '--json'], dir)).stdout)).toMatchObject({
    running: false,
    sends: { pending: 0, retrying: 0, dead: 1 },
  })
  expect((await fusionize(['dlq', 'replay', 'nothing'], dir)).stderr).toContain('no dead letter has the id nothing')

  await writeFile(join(dir, 'mended'), '')
  expect(JSON.parse((await fusionize(['dlq', 'replay', error.id, '--json'], dir)).stdout)).toEqual({
    replayed: 1,
    waited: true,
    dead: 0,
  })
  expect(JSON.parse((await fusionize(['dlq', 'list', '--json'], dir)).stdout)).toEqual({ deadLetters: [] })
  const logs = JSON.parse((await fusionize(['logs', '--task', 'note', '--level', 'info', '--json'], dir)).stdout)
  expect(logs.entries.at(-1)).toMatchObject({ level: 'info', task: 'note', message: 'noted tea', data: '{"length":3}' })
})

test('Ctrl-C ends a task that runs here, without a word of failure', async () => {
  const dir = await makeApp({
    ...shop,
    'tasks/wait.ts': `
      import { task } from 'fusionize'
      export default task('wait', { http: 'POST /wait' }, (_: void, { log }) => {
        log.info('waiting for good')
        return new Promise<void>(() => {})
      })`,
  })
  const run = start(['invoke', 'wait'], dir)
  await run.says(/waiting for good/)
  run.child.kill('SIGINT')
  const { code, stderr } = await run.ended
  expect(stderr).not.toContain('error')
  expect(code).toBe(130)
})

test('constraints and bounds of memory shape the first setup', async () => {
  const dir = await makeApp({
    ...shop,
    'fusionize.config.ts': `export default { memory: 128, constraints: { together: [['greet', 'title']] } }`,
    'tasks/title.ts': shop['tasks/title.ts'].replace("'title',", "'title', { memory: { min: 300 } },"),
  })
  const { notation } = JSON.parse((await fusionize(['build', '--json'], dir)).stdout)
  expect(notation).toBe('(greet, title)@300-(reverse)@128')
})

test('flush fires what waits for more, though nothing runs between what put it and this', async () => {
  const dir = await makeApp({
    'package.json': shop['package.json'],
    'buckets/letters.ts': `import { bucket, byBatchSize } from 'fusionize'
import post from '../tasks/post'

export const letters = bucket<string>('letters').on(byBatchSize(3, { flush: true }), post)
`,
    'tasks/write.ts': `import { task } from 'fusionize'
import { letters } from '../buckets/letters'

export default task('write', { http: 'POST /letters' }, async (keys: string[]) => {
  for (const key of keys) await letters.put(key, key)
})
`,
    'tasks/post.ts': `import { appendFileSync } from 'node:fs'
import { type BucketObject, task } from 'fusionize'

export default task('post', async (letters: BucketObject<string>[]) => {
  appendFileSync('posted', letters.map(({ value }) => value).join(' ') + '\\n')
})
`,
  })
  for (const keys of ['["a", "b"]', '["c", "d"]'])
    expect(await fusionize(['invoke', 'write', keys], dir)).toMatchObject({ code: 0 })
  const flush = async () => JSON.parse((await fusionize(['flush', '--json'], dir)).stdout)
  expect(await flush()).toEqual({ fired: 1, waited: true })
  const posted = await readFile(join(dir, 'posted'), 'utf8')
  expect(posted.trim().split('\n').sort()).toEqual(['a b c', 'd'])
  expect(await flush()).toEqual({ fired: 0, waited: true })
})

import { basename, resolve } from 'node:path'
import { cancel, intro, outro, text } from '@clack/prompts'
import { packageNameOf } from './new-app.js'

export interface Answers {
  dir?: string
  name?: string
}

/** Asks for what the command line did not say. */
export async function ask(given: Answers): Promise<Answers> {
  intro('A new fusionize application')
  const dir = given.dir ?? (await answer(text({ message: 'In which folder?', placeholder: '.', defaultValue: '.' })))
  const fallback = packageNameOf(basename(resolve(dir)))
  const name =
    given.name ??
    (await answer(
      text({
        message: 'What is it called?',
        placeholder: fallback,
        defaultValue: fallback,
        validate: (value) =>
          value && packageNameOf(value) !== value ? 'Use lower-case letters, digits and dashes' : undefined,
      }),
    ))
  outro('Writing it')
  return { dir, name }
}

async function answer(question: Promise<string | symbol>): Promise<string> {
  const value = await question
  if (typeof value === 'string') return value
  cancel('Nothing was written')
  process.exit(130)
}

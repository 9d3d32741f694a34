import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { LocalPlatformOptions } from '@fusionize/local'
import type { Builder, Platform } from '@fusionize/platform'
import { type InvocationRecord, parseRecord } from 'fusionize/record'
import * as runtime from 'fusionize/runtime'
import type { FusionSetup } from 'fusionize/setup'
import { drained } from 'fusionize/testing'
import { vi } from 'vitest'
import { startAwsBed } from '../../packages/aws/test/support/platform.js'
import { world } from '../../packages/fusionize/test/world.js'
import { type AnyTask, type Example, storeAt } from './examples.js'
import { localBuilder, outputOf, startLocal, temporaryFolder } from './local.js'

/** What could be seen of a run from outside, and what its records say. */
export interface Observed {
  /** One for each request, in their order. */
  replies: Reply[]
  /** Everything in the store, as text. */
  stored: string
  records: InvocationRecord[]
}

export type Reply = { output: unknown } | { error: { name: string; message: string; code: unknown; cause: unknown } }

/** A way to run an example. */
export interface Placement {
  /**
   * Makes requests and waits until nothing of them is under way; request `i` is session `s<i>`. The last two come one after the other when
   * all others are answered, so that they find sandboxes warm and free.
   */
  run(setup: FusionSetup, requests: readonly unknown[]): Promise<Observed>
  close(): Promise<void>
}

/** Without fusionize between the tasks: as their author's unit tests run them. The setup does not matter. */
export function plainFunctions(example: Example): Promise<Placement> {
  return inThisProcess(example, async (_setup, requests) => {
    const replies = await inTurns(requests, (request) => example.entry(request as never))
    await drained()
    return { replies, records: [] }
  })
}

/** Every function's handler in this process: all of fusionize but the platform. */
export function handlersInOneProcess(example: Example): Promise<Placement> {
  return inThisProcess(example, async (setup, requests) => {
    const tasks: AnyTask[] = example.tasks
    const functions = world(tasks, (fn) => inlineOf(setup, fn), { runtime })
    const replies = await inTurns(requests, (request, session) =>
      functions.request(example.entry.taskName, request, { session }),
    )
    await functions.quiet()
    for (const { error } of functions.failedSends) throw error
    return { replies, records: functions.records }
  })
}

/** The local platform, with sandboxes as threads or processes. */
export async function sandboxes(example: Example, options: Partial<LocalPlatformOptions>): Promise<Placement> {
  const builder = localBuilder(example.appDir, example.name)
  const { platform, stop } = await startLocal(example.name, { durability: 'none', sampleCpuEvery: 3, ...options })
  return onPlatform(example, platform, builder, async () => {
    await stop()
    await builder.dispose()
  })
}

/** Lambda functions: the real artifacts under Amazon's runtime client, in a double of AWS. */
export async function lambdaFunctions(example: Example): Promise<Placement> {
  const { builder, platform, stop } = await startAwsBed(example.appDir, example.name)
  return onPlatform(example, platform, builder, stop)
}

async function onPlatform(
  example: Example,
  platform: Platform,
  builder: Builder,
  stop: () => Promise<void>,
): Promise<Placement> {
  const stores = await temporaryFolder()
  let runs = 0
  let cursor: string | undefined
  return {
    async run(setup, requests) {
      const store = join(stores.path, String(runs++))
      await platform.deploy(await builder.build(setup, example.env(store)))
      const task = example.entry.taskName
      const replies = await inTurns(requests, async (request, session) =>
        outputOf(await platform.invoke(task, runtime.encode(request), { session })),
      )
      await platform.drained()
      const page = await platform.records(cursor)
      cursor = page.next
      const dead = await platform.deadLetters()
      if (dead.length > 0) throw runtime.errorFromWire((dead[0] as (typeof dead)[number]).error)
      return { replies, stored: await storeAt(store).dump(), records: page.lines.map(parseRecord) }
    },
    async close() {
      await stop()
      await stores.remove()
    },
  }
}

async function inThisProcess(
  example: Example,
  run: (setup: FusionSetup, requests: readonly unknown[]) => Promise<Omit<Observed, 'stored'>>,
): Promise<Placement> {
  const stores = await temporaryFolder()
  let runs = 0
  return {
    async run(setup, requests) {
      const store = join(stores.path, String(runs++))
      await mkdir(store)
      for (const [name, value] of Object.entries(example.env(store))) vi.stubEnv(name, value)
      try {
        return { ...(await run(setup, requests)), stored: await storeAt(store).dump() }
      } finally {
        vi.unstubAllEnvs()
      }
    },
    close: stores.remove,
  }
}

function inlineOf(setup: FusionSetup, fn: string): FusionSetup['functions'][string]['inline'] {
  const spec = setup.functions[fn]
  if (!spec) throw new Error(`the setup has no function '${fn}'`)
  return spec.inline
}

async function inTurns(
  requests: readonly unknown[],
  make: (request: unknown, session: string) => Promise<unknown>,
): Promise<Reply[]> {
  const one = (request: unknown, i: number) => replyOf(make(request, `s${i}`))
  const atOnce = Math.max(0, requests.length - 2)
  const replies = await Promise.all(requests.slice(0, atOnce).map(one))
  for (const [i, request] of requests.slice(atOnce).entries()) replies.push(await one(request, atOnce + i))
  return replies
}

async function replyOf(promise: Promise<unknown>): Promise<Reply> {
  try {
    return { output: await promise }
  } catch (thrown) {
    const { name, message, code, cause } = thrown as Error & { code?: unknown }
    return { error: { name, message, code, cause } }
  }
}

import { strict as assert } from 'node:assert'
import { type InvocationRecord, parseRecord } from 'fusionize/record'
import { decode, encode, errorFromWire, type WireError } from 'fusionize/runtime'
import { type App, allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'
import type { Build, DeadLetter, InvokeOptions, Platform } from '../platform.js'

/** A platform with the suite's application, and words to ask it with. */
export interface Bed {
  platform: Platform
  app: App
  /** Everything in functions of its own, and everything together. */
  remote: FusionSetup
  fused: FusionSetup
  deploy(setup: FusionSetup): Promise<string>
  /** The output of a task. @throws {Failed} when it fails */
  ask(task: string, input: unknown, options?: InvokeOptions): Promise<unknown>
  /** The error of a task, as a caller gets it. */
  errorOf(task: string, input: unknown, options?: InvokeOptions): Promise<WireError>
  send(task: string, input: unknown): Promise<{ id: string; session: string }>
  /** Records that came since this was last asked, when nothing is under way any more. */
  news(): Promise<InvocationRecord[]>
  letters(): Promise<DeadLetter[]>
}

/** A task answered with an error where an output was wanted. */
export class Failed extends Error {
  constructor(readonly wire: WireError) {
    super(`${wire.name}: ${wire.message}`, { cause: errorFromWire(wire) })
  }
}

/** @param build makes the suite's application for the platform */
export function bedOf(platform: Platform, app: App, build: (setup: FusionSetup) => Promise<Build>): Bed {
  let position: string | undefined
  const memory = platform.facts().memoryLadder.find((size) => size >= 1024) ?? platform.facts().memoryLadder.at(-1)
  assert(memory !== undefined, 'facts().memoryLadder is empty')
  return {
    platform,
    app,
    remote: remoteSetup(app, memory),
    fused: allFusedSetup(app, memory),
    deploy: async (setup) => (await platform.deploy(await build(setup))).setup,
    async ask(task, input, options) {
      const result = await platform.invoke(task, encode(input), options)
      if (!result.ok) throw new Failed(result.error)
      return decode(result.output)
    },
    async errorOf(task, input, options) {
      const result = await platform.invoke(task, encode(input), options)
      assert(!result.ok, `task '${task}' should have failed`)
      return result.error
    },
    send: (task, input) => platform.send(task, encode(input)),
    async news() {
      await platform.drained()
      const records: InvocationRecord[] = []
      for (let more = true; more; ) {
        const page = await platform.records(position)
        more = page.lines.length > 0
        position = page.next
        records.push(...page.lines.map(parseRecord))
      }
      return records
    },
    letters: () => platform.deadLetters(),
  }
}

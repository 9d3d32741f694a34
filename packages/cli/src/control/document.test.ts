import { expect, test } from 'vitest'
import { z } from 'zod'
import { exampleOutcome } from '../../test/support/outcome.js'
import { toDocument } from './document.js'

const number = z.number().nullable()
const entry = z.looseObject({
  id: z.string().min(1),
  notation: z.string().min(1),
  strategy: z.string().min(1),
  reason: z.string(),
  requests: z.number().int(),
  errors: z.number().int(),
  p50Ms: number,
  p95Ms: number,
  p99Ms: number,
  costPerMillionUsd: number,
  coldStarts: z.number().int(),
  invocationsPerRequest: number,
})
/** The contract of `fusionize optimize --json`. */
const document = z.looseObject({
  app: z.string(),
  platform: z.string(),
  emulate: z.string().nullable(),
  goal: z.looseObject({ minimize: z.string() }),
  setups: z.array(entry).min(1),
  baselines: z.array(entry),
  bestId: z.string(),
  converged: z.boolean(),
  overhead: z.looseObject({ cpuSeconds: z.number(), bytes: z.number(), usd: z.number() }),
})

test.each([
  ['with cost', 24],
  ['without', null],
] as const)('the document has its fixed shape, %s', (_, cost) => {
  const printed = JSON.parse(JSON.stringify(toDocument(exampleOutcome(cost))))
  const read = document.parse(printed)
  expect(read.setups.map((setup) => setup.p50Ms)).toEqual([237, 80, null, 30])
  expect(read.setups.some((setup) => setup.id === read.bestId)).toBe(true)
  expect(read.setups[0]?.costPerMillionUsd).toBe(cost === null ? null : 36)
  expect(printed.costReason).toBe(cost === null ? 'no cgroup is writable' : null)
})

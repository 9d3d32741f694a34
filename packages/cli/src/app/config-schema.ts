import { type Config, FusionizeError, suggest } from 'fusionize'
import { z } from 'zod'

const positive = z.number().positive()
const count = z.number().int().min(1)
const names = z.array(z.string())
const bounds = z.strictObject({ min: positive.optional(), max: positive.optional() })

const profile = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('steady'), rps: positive, seconds: positive }),
  z.strictObject({ kind: z.literal('burst'), from: positive, to: positive, step: positive, everySeconds: positive }),
  z.strictObject({ kind: z.literal('cold'), rps: positive, seconds: positive }),
])

const passing = z.strictObject({
  date: z.string().optional(),
  putMs: z.number().min(0).optional(),
  getMs: z.number().min(0).optional(),
  storeMbPerS: positive.optional(),
  fullMb: positive.optional(),
  nicMbPerS: positive.optional(),
  putUsd: z.number().min(0).optional(),
  getUsd: z.number().min(0).optional(),
})

const local = z.strictObject({
  isolation: z.enum(['processes', 'threads']).optional(),
  emulate: z.enum(['aws-lambda']).optional(),
  emulatePassing: z.union([z.boolean(), passing]).optional(),
  durability: z.enum(['none', 'journal', 'fsync']).optional(),
  keepAliveMs: z.number().min(0).optional(),
  maxSandboxes: count.optional(),
  queueLimit: z.number().int().min(0).optional(),
  objectMemoryMb: z.number().positive().optional(),
  objectDiskMb: z.number().positive().optional(),
  host: z.string().min(1).optional(),
  port: z.number().int().min(0).max(65535).optional(),
  token: z.string().min(1).optional(),
  spin: z.boolean().optional(),
  socket: z.union([z.boolean(), z.string().min(1)]).optional(),
  bodyLimit: count.optional(),
  timeoutMs: positive.optional(),
  retries: z.number().int().min(0).optional(),
  retryDelayMs: z.number().min(0).optional(),
  sampleCpuEvery: z.number().int().min(0).optional(),
})

const aws = z.strictObject({
  region: z.string().min(1).optional(),
  prefix: z.string().min(1).optional(),
  architecture: z.enum(['arm64', 'x86_64']).optional(),
  runtime: z.enum(['nodejs22.x', 'nodejs24.x']).optional(),
  retentionDays: count.optional(),
  afterReply: z.enum(['extension', 'before-reply']).optional(),
  functionUrlAuth: z.enum(['AWS_IAM', 'NONE', 'off']).optional(),
  streaming: z.boolean().optional(),
  concurrency: z.record(z.string(), z.number().int().min(0)).optional(),
  timeoutMs: positive.optional(),
  sampleCpuEvery: z.number().int().min(0).optional(),
  sourceMaps: z.boolean().optional(),
  keepMs: z.number().min(0).optional(),
  manager: z
    .strictObject({
      everyMinutes: count.optional(),
      strategy: z.string().min(1).optional(),
      requests: count.optional(),
      share: z.number().positive().max(0.5).optional(),
    })
    .optional(),
})

const constraints = z.strictObject({
  isolate: names.optional(),
  together: z.array(names).optional(),
  apart: z.array(names).optional(),
  memory: z.record(z.string(), bounds).optional(),
  zones: z.record(z.string(), names).optional(),
})

const latencyBounds = { p50Ms: positive.optional(), p95Ms: positive.optional(), p99Ms: positive.optional() }

const schema = z.strictObject({
  app: z.string().min(1).optional(),
  tasks: z.array(z.string().min(1)).min(1).optional(),
  platform: z.enum(['local', 'aws']).optional(),
  local: local.optional(),
  aws: aws.optional(),
  memory: positive.optional(),
  goal: z
    .strictObject({
      minimize: z
        .union([
          z.enum(['p50', 'p95', 'p99', 'cost', 'balanced']),
          z.strictObject({ percentile: z.enum(['p50', 'p95', 'p99']), latencyWeight: positive, costWeight: positive }),
        ])
        .optional(),
      subjectTo: z
        .strictObject({
          ...latencyBounds,
          costPerMillionUsd: positive.optional(),
          entries: z.record(z.string(), z.strictObject(latencyBounds)).optional(),
        })
        .optional(),
    })
    .optional(),
  constraints: constraints.optional(),
  env: z.record(z.string(), z.string()).optional(),
  load: z
    .strictObject({
      request: z.custom<NonNullable<Config['load']>['request']>((value) => typeof value === 'function'),
      profiles: z
        .strictObject({ steady: profile.optional(), burst: profile.optional(), cold: profile.optional() })
        .optional(),
    })
    .optional(),
})

/**
 * @param file how to call the configuration in errors
 * @throws {FusionizeError} `INVALID_CONFIG` with every mistake: path of the option, what it must be, what it is
 */
export function checkConfig(value: unknown, file: string): Config {
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  const problems = checked.error.issues.flatMap((issue) => describe(issue, value))
  throw new FusionizeError('INVALID_CONFIG', problems.map((problem) => `${file}: ${problem}`).join('\n'), {
    file,
    problems,
  })
}

function describe(issue: z.core.$ZodIssue, config: unknown): string[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const known = optionsAt(path, config)
    const list =
      known.length > 0 ? `; options${path.length > 0 ? ` of '${path.join('.')}'` : ''} are ${known.join(', ')}` : ''
    return issue.keys.map((key) => `unknown option '${[...path, key].join('.')}'${suggest(key, known)}${list}`)
  }
  const found = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], config)
  const where = path.length > 0 ? `'${path.join('.')}'` : 'the default export'
  return [`${where} must be ${demand(issue)}, not ${show(found)}`]
}

function demand(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return (
        { int: 'a whole number', object: 'an object', array: 'a list', record: 'an object' }[
          issue.expected as string
        ] ?? `a ${issue.expected}`
      )
    case 'invalid_value':
      return oneOf(issue.values)
    case 'invalid_union':
      return 'options' in issue
        ? oneOf(issue.options as unknown[])
        : issue.errors.flatMap((errors) => errors.map(demand)).join(' or ')
    case 'too_small':
      if (issue.origin === 'array') return 'a list with something in it'
      if (issue.origin === 'string') return 'a text that is not empty'
      return issue.inclusive ? `${issue.minimum} or more` : `more than ${issue.minimum}`
    case 'too_big':
      return `${issue.maximum} or less`
    default:
      return 'a function'
  }
}

function oneOf(values: readonly unknown[]): string {
  const shown = values.map((value) => `'${value}'`)
  return shown.length > 1 ? `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}` : shown.join('')
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (value === undefined) return 'absent'
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** Names of the options that the schema knows at a path of a configuration. */
function optionsAt(path: readonly string[], config: unknown): string[] {
  let at: z.core.$ZodType = schema
  let value = config
  for (const key of path) {
    at = inner(at)
    value = (value as Record<string, unknown> | undefined)?.[key]
    if (at instanceof z.ZodRecord) at = at.valueType
    else if (at instanceof z.ZodArray) at = at.element
    else if (at instanceof z.ZodObject) at = at.shape[key]
    if (inner(at) instanceof z.ZodDiscriminatedUnion) at = variant(inner(at) as z.ZodDiscriminatedUnion, value)
  }
  at = inner(at)
  return at instanceof z.ZodObject ? Object.keys(at.shape) : []
}

function variant(union: z.ZodDiscriminatedUnion, value: unknown): z.core.$ZodType {
  const kind = (value as { kind?: unknown } | undefined)?.kind
  return union.options.find((x) => x instanceof z.ZodObject && x.shape.kind.safeParse(kind).success) ?? union
}

function inner(type: z.core.$ZodType): z.core.$ZodType {
  return type instanceof z.ZodOptional ? inner(type.unwrap()) : type
}

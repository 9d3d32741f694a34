import { readFileSync } from 'node:fs'
import { type Shape, stagesOf } from '@fusionize/planner'
import { suggest } from 'fusionize'
import { InputError } from '../input-error.js'
import { type ProfiledSizes, stageNames } from './read-profile.js'

/** How the stages of a profile make a workflow. */
export interface Dag {
  shape: Shape
  /** Stages with a size, in the order of the sizes in file names. */
  sized: string[]
  /** Stages whose time no size changes. */
  fixed: string[]
  /** What was assumed, in words. */
  assumed: string[]
}

/**
 * The shape from a JSON file: `{"series": ["Split", {"parallel": ["A", "B"]}]}`, or `{"shape": …, "sized": […]}` with the stages that the sizes in
 * file names are of. Without a file the stages are in series, the last of a line first, which is how the published folders are written.
 * @throws Error that says what is wrong with it
 */
export function readDag(profile: readonly ProfiledSizes[], path?: string): Dag {
  const names = stageNames(profile[0]?.runs[0])
  const given = path === undefined ? undefined : parse(path)
  const shape = given?.shape === undefined ? { series: [...names].reverse() } : shapeOf(given.shape, path as string)
  check(stagesOf(shape), names, path ?? 'the default series')
  const count = profile[0]?.sizesMb.length ?? 0
  const order = stagesOf(shape)
  const assumed = given?.shape === undefined ? [`stages in series: ${order.join(', ')}`] : []
  if (given?.sized !== undefined) {
    const sized = listOf(given.sized, path as string)
    if (sized.length !== count)
      throw new InputError(`${path}: "sized" names ${sized.length} stages, file names have ${count} sizes`)
    for (const name of sized) if (!names.includes(name)) throw new InputError(unknown(name, names, path as string))
    return { shape, sized, fixed: order.filter((name) => !sized.includes(name)), assumed }
  }
  if (count === order.length) return { shape, sized: order, fixed: [], assumed }
  if (count === 1)
    return { shape, sized: order, fixed: [], assumed: [...assumed, 'the one size in file names is that of all stages'] }
  // More stages than sizes: the shortest are no functions, but what the orchestrator does between them.
  const fixed = [...order].sort((a, b) => meanOf(profile, a) - meanOf(profile, b)).slice(0, order.length - count)
  assumed.push(`${fixed.join(', ')} without a size: ${order.length} stages for ${count} sizes, and the shortest`)
  return { shape, sized: order.filter((name) => !fixed.includes(name)), fixed, assumed }
}

function parse(path: string): { shape?: unknown; sized?: unknown } {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new InputError(`cannot read the shape in ${path}: ${(error as Error).message}`)
  }
  return typeof value === 'object' && value !== null && ('shape' in value || 'sized' in value)
    ? value
    : { shape: value }
}

function shapeOf(value: unknown, path: string): Shape {
  if (typeof value === 'string') return value
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 1) {
    const [[kind, parts]] = Object.entries(value) as [[string, unknown]]
    if ((kind === 'series' || kind === 'parallel') && Array.isArray(parts) && parts.length > 0) {
      const inner = parts.map((part) => shapeOf(part, path))
      return kind === 'series' ? { series: inner } : { parallel: inner }
    }
  }
  throw new InputError(
    `${path}: ${JSON.stringify(value)} is no shape; write a stage's name, {"series": […]} or {"parallel": […]}`,
  )
}

function listOf(value: unknown, path: string): string[] {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value
  throw new InputError(`${path}: "sized" must be a list of stages in the order of the sizes in file names`)
}

function check(named: readonly string[], names: readonly string[], where: string): void {
  for (const name of named) {
    if (!names.includes(name)) throw new InputError(unknown(name, names, where))
    if (named.filter((other) => other === name).length > 1) throw new InputError(`${where} names stage '${name}' twice`)
  }
  const left = names.filter((name) => !named.includes(name))
  if (left.length > 0)
    throw new InputError(`${where} leaves out ${left.join(', ')}; every stage of the lines needs a place`)
}

const unknown = (name: string, names: readonly string[], where: string) =>
  `${where} names stage '${name}', which no line has${suggest(name, [...names])}; stages are ${names.join(', ')}`

function meanOf(profile: readonly ProfiledSizes[], stage: string): number {
  const all = profile.flatMap(({ runs }) => runs.map((run) => run.stages[stage] ?? 0))
  return all.reduce((sum, ms) => sum + ms, 0) / all.length
}

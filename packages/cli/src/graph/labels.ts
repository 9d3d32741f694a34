import { bytes, digits } from '../report/format.js'
import type { DataEdge } from './model.js'

/** Text on an edge: lines above it and below. */
export interface EdgeLabel {
  above: readonly string[]
  below: readonly string[]
}

const MAX_TRIGGER = 30

/** What is written on an edge to or from a bucket: the triggers above, the figures below. */
export function labelOf({ figures, triggers = [] }: DataEdge): EdgeLabel {
  const above = triggers.map((trigger) =>
    trigger.length > MAX_TRIGGER ? `${trigger.slice(0, MAX_TRIGGER - 1)}…` : trigger,
  )
  if (!figures) return { above, below: [] }
  const parts = [`${digits(figures.perRequest)}×`, bytes(Math.round(figures.bytes))]
  if ('waitMs' in figures && figures.waitMs !== undefined) parts.push(`after ${digits(figures.waitMs)} ms`)
  return { above, below: [parts.join(' · ')] }
}

/** The same in full, for who points at the edge. */
export function titleOf({ figures, kind, route, triggers = [] }: DataEdge, from: string, to: string): string {
  const where = kind === 'put' ? (route === 'inline' ? 'fused' : 'in the platform') : route
  const head = `${from} ${kind === 'put' ? 'puts into' : 'starts'} ${to}: ${[...triggers, where].join(', ')}`
  if (!figures) return head
  const size = bytes(Math.round(figures.bytes))
  const times = `${digits(figures.perRequest)} per request`
  if (!('objects' in figures)) return `${head}, ${times}, ${size} an object`
  const waited = figures.waitMs === undefined ? '' : `, ${digits(figures.waitMs)} ms after the last put (median)`
  return `${head}, ${times}, ${digits(figures.objects)} objects of ${size} together${waited}`
}

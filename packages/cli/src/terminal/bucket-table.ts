import type { BucketStatus } from '@fusionize/platform'
import pc from 'picocolors'
import { formatBytes, table } from './table.js'

/** What is live in each bucket. */
export function bucketTable(buckets: readonly BucketStatus[]): string {
  const rows = buckets.map(({ bucket, objects, bytes, sessions, oldestMs }) => [
    pc.bold(bucket),
    `${objects}`,
    formatBytes(bytes),
    `${sessions}`,
    oldestMs === null ? '–' : age(oldestMs),
  ])
  const heading = ['bucket', 'objects', 'size', 'sessions', 'oldest']
  return table(heading, rows, ['left', 'right', 'right', 'right', 'right'])
}

/** `320 ms`, `4.2 s`, `12 min`, `3.5 h`, `2.1 d`. */
function age(ms: number): string {
  const units: [string, number, number][] = [
    ['ms', 1, 0],
    ['s', 1_000, 1],
    ['min', 60_000, 0],
    ['h', 3_600_000, 1],
    ['d', 86_400_000, 1],
  ]
  const [unit, size, places] = units.findLast(([, size]) => ms >= size) ?? (units[0] as [string, number, number])
  return `${(ms / size).toFixed(places)} ${unit}`
}

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../input-error.js'

/** One run of a workflow at the sizes of its file. ms */
export interface ProfiledRun {
  /** End to end; undefined where the file does not tell. */
  endToEndMs?: number
  stages: Record<string, number>
}

/** One file: all stages at given sizes. */
export interface ProfiledSizes {
  file: string
  /** As in the file's name. */
  sizesMb: number[]
  /** By line from the first. */
  runs: ProfiledRun[]
}

/** Name of the field that is no stage. */
const END_TO_END = 'E2E'

/**
 * Reads a folder of measured runs: one file for each choice of sizes, `PREFIX_1000_1000_1800.txt`, one run a line, `Stage:ms` separated by blanks
 * or commas (`E2E:ms` among them), or numbers under a first line of names. @throws Error that names file and line
 */
export function readProfile(dir: string): ProfiledSizes[] {
  let names: string[]
  try {
    names = readdirSync(dir).sort()
  } catch (error) {
    throw new InputError(`cannot read the profile's folder ${dir}: ${(error as Error).message}`)
  }
  const files = names.flatMap((file) => {
    const sizes = /(?:^|[_-])(\d+(?:_\d+)*)\.[a-z]+$/i.exec(file)?.[1]
    return sizes === undefined ? [] : [{ file, sizesMb: sizes.split('_').map(Number) }]
  })
  if (files.length < 2)
    throw new InputError(
      `${dir} has ${files.length} files whose names end in sizes, like runs_1000_1000_1000.txt; a profile needs two or more sizes`,
    )
  const profile = files.map(({ file, sizesMb }) => ({ file, sizesMb, runs: readRuns(join(dir, file)) }))
  const stages = stageNames(profile[0]?.runs[0])
  for (const { file, sizesMb, runs } of profile) {
    for (const [i, run] of runs.entries())
      if (stageNames(run).join() !== stages.join())
        throw new InputError(
          `${join(dir, file)}:${i + 1} has the stages ${stageNames(run).join(', ')}, the first file has ${stages.join(', ')}`,
        )
    if (sizesMb.length !== profile[0]?.sizesMb.length)
      throw new InputError(
        `${file} names ${sizesMb.length} sizes and ${profile[0]?.file} ${profile[0]?.sizesMb.length}`,
      )
    if (sizesMb.length > stages.length)
      throw new InputError(
        `${file} names ${sizesMb.length} sizes, but its lines have only the stages ${stages.join(', ')}`,
      )
    if (sizesMb.some((size) => size === 0)) throw new InputError(`${file} names a size of 0 MB`)
  }
  return profile
}

/** Names of the stages in the order of the lines. */
export function stageNames(run: ProfiledRun | undefined): string[] {
  return Object.keys(run?.stages ?? {})
}

function readRuns(path: string): ProfiledRun[] {
  let header: string[] | undefined
  const runs: ProfiledRun[] = []
  for (const [i, text] of readFileSync(path, 'utf8').split(/\r?\n/).entries()) {
    const cells = text.trim().split(/[\s,;]+/)
    if (cells[0] === '') continue
    const where = `${path}:${i + 1}`
    if (i === 0 && cells.every((cell) => /^[A-Za-z_][\w-]*$/.test(cell))) {
      header = cells
      continue
    }
    runs.push(runOf(header ? named(header, cells, where) : cells.map((cell) => pairOf(cell, where)), where))
  }
  // Each half, odd lines and even lines, must tell a 95th percentile at all.
  if (runs.length < 20) throw new InputError(`${path} has ${runs.length} runs; at least 20 are needed`)
  return runs
}

function named(header: readonly string[], cells: readonly string[], where: string): [string, number][] {
  if (cells.length !== header.length)
    throw new InputError(`${where} has ${cells.length} values for the ${header.length} names of the first line`)
  return header.map((name, i) => [name, numberOf(cells[i] as string, where)])
}

function pairOf(cell: string, where: string): [string, number] {
  const colon = cell.lastIndexOf(':')
  if (colon < 1) throw new InputError(`${where} has '${cell}'; expected Stage:ms, like Split:2430`)
  return [cell.slice(0, colon), numberOf(cell.slice(colon + 1), where)]
}

function numberOf(text: string, where: string): number {
  const value = text === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(value) || value < 0) throw new InputError(`${where} has '${text}', which is no time in ms`)
  return value
}

function runOf(pairs: readonly (readonly [string, number])[], where: string): ProfiledRun {
  const all = Object.fromEntries(pairs)
  // Published lines say their end-to-end time at both ends.
  for (const [name, ms] of pairs)
    if (all[name] !== ms) throw new InputError(`${where} names '${name}' twice, with ${ms} and with ${all[name]} ms`)
  const { [END_TO_END]: endToEndMs, ...stages } = all
  if (Object.keys(stages).length === 0) throw new InputError(`${where} has no stage`)
  return { ...(endToEndMs === undefined ? {} : { endToEndMs }), stages }
}

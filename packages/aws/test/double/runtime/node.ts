import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fetched, prepared } from './packages.js'

/** Oldest Node that Amazon's runtime client runs under. */
const OLDEST_MAJOR = 22

/** A Node that can run functions, and the C++ headers that belong to it. */
export interface FunctionNode {
  command: string
  headers: string
}

let found: Promise<FunctionNode> | undefined

/** The Node that runs functions: the one that runs us where it is new enough, else one from npm. */
export function functionNode(): Promise<FunctionNode> {
  found ??= find()
  return found
}

async function find(): Promise<FunctionNode> {
  const major = Number(process.versions.node.split('.')[0])
  const own = nodeIn(dirname(process.execPath))
  if (major >= OLDEST_MAJOR && existsSync(join(own.headers, 'node_api.h'))) return own
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(
      `Functions run under Amazon's runtime client, which needs Node ${OLDEST_MAJOR} or newer with its C++ headers. This is ` +
        `${process.version} at ${process.execPath} on ${process.platform}-${process.arch}. Run the tests with a Node from ` +
        `https://nodejs.org/download/release/latest-v${OLDEST_MAJOR}.x/ on Linux.`,
    )
  const folder = await prepared('node', (scratch) => fetched('node', scratch))
  return nodeIn(join(folder, 'bin'))
}

function nodeIn(bin: string): FunctionNode {
  return { command: join(bin, 'node'), headers: join(bin, '../include/node') }
}

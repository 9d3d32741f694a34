import { open } from 'node:fs/promises'
import type { Architecture } from './settings.js'

const machineOf: Record<Architecture, number> = { x86_64: 0x3e, arm64: 0xb7 }
const binary = /\.(node|so(\.[\d.]+)?|dylib|dll|exe)$/

/**
 * Whether a file with machine code runs on Linux with this processor; undefined when it has none, or none that its header tells of.
 * The header of ELF: `e_machine` at byte 18 (System V ABI).
 */
export async function isForMachine(file: string, architecture: Architecture): Promise<boolean | undefined> {
  if (!binary.test(file)) return undefined
  const handle = await open(file)
  try {
    const head = Buffer.alloc(20)
    const { bytesRead } = await handle.read(head, 0, 20, 0)
    if (bytesRead < 20) return undefined
    const isElf = head.readUInt32BE(0) === 0x7f454c46
    return isElf && head.readUInt16LE(18) === machineOf[architecture]
  } finally {
    await handle.close()
  }
}

import type { Facts } from '@fusionize/platform'
import { awsLambdaArm, awsLambdaX86, lambdaMbPerCore, ratesOf } from 'fusionize/prices'
import type { Settings } from './deploy/settings.js'
import { CALL_BYTES, SEND_BYTES } from './runtime/limits.js'

/** Memory sizes that are offered, MB; Lambda takes every one between the first and the last. */
const memoryLadder = [128, 192, 256, 384, 512, 768, 1024, 1280, 1536, 1769, 2048, 3008, 3538, 5307, 7076, 8845, 10240]
/** Longest run of a function, ms ("Lambda quotas"). */
export const LONGEST_MS = 15 * 60 * 1000

/** What Lambda is and can do. */
export function factsOf({ afterReply, architecture }: Pick<Settings, 'afterReply' | 'architecture'>): Facts {
  return {
    platform: 'aws',
    memoryLadder,
    mbPerCore: lambdaMbPerCore,
    cpuShareEnforced: true,
    cpuShareReason: '',
    afterReply: afterReply === 'extension' ? 'runs' : 'before-reply',
    maxPayloadBytes: { call: CALL_BYTES, send: SEND_BYTES },
    maxTimeoutMs: LONGEST_MS,
    prices: ratesOf(architecture === 'arm64' ? awsLambdaArm : awsLambdaX86),
    durability: 'journal',
  }
}

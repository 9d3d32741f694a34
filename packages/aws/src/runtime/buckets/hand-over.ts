import { FusionizeError } from 'fusionize'
import type { HeldSend } from 'fusionize/runtime'
import type { BucketPorts } from './ports.js'

/**
 * Has what buckets start run: in the deployment that its session began with; where that has retired, in this one; where the task is not here
 * either, it is a dead letter.
 * @param attempt of that run, where others came before
 * @returns whether it runs
 * @throws {FusionizeError} when Lambda does not take it now
 */
export async function handOver(ports: BucketPorts, send: HeldSend, attempt?: number): Promise<boolean> {
  const { id, session, setup: began, task } = send
  const { setup } = ports
  try {
    await ports.handOn(send, attempt)
    return true
  } catch (error) {
    if (began === setup || !isGone(error)) throw error
  }
  try {
    await ports.handOn({ ...send, setup }, attempt)
    ports.log('warn', session, `setup ${began} has retired: task '${task}' (${id}) runs in setup ${setup}`)
    return true
  } catch (error) {
    if (!isGone(error)) throw error
  }
  const message = `task '${task}' was to run in setup ${began}, which has retired, and setup ${setup} has no such task; deploy the app with it, then replay this`
  ports.log('error', session, message)
  await ports.bury(send, attempt ?? 1, new FusionizeError('UNKNOWN_TASK', message, { task, setup: began }))
  return false
}

/** What Lambda says of a version that is not there: whoever may not call it hears only that. */
function isGone(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === 'UNKNOWN_TASK' || code === 'UNSUPPORTED'
}

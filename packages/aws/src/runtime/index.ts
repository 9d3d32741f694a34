import type { FunctionModule } from 'fusionize/runtime'
import { createAdapter } from './adapter.js'
import type { LambdaHandler } from './context.js'
import { ENVIRONMENT_VARIABLE, type Environment } from './environment.js'
import { type Extension, startExtension } from './extension.js'
import { type StreamingHandler, streamed } from './streamed.js'
import { writeLog } from './transport.js'

export type * from './envelope.js'
export type * from './environment.js'

const environment: Environment | null = JSON.parse(process.env[ENVIRONMENT_VARIABLE] ?? 'null')
// While the module loads: later Lambda takes no extension.
const extension = environment?.afterReply === 'extension' ? await openExtension() : undefined

/**
 * Makes the function's Lambda handler. The build puts the call at the end of every artifact.
 * @throws {Error} outside of Lambda, or where `fusionize deploy` did not make the function
 */
export function start(module: FunctionModule): LambdaHandler | StreamingHandler {
  if (environment === null)
    throw new Error(
      `this file is a function of fusionize: deploy it by 'fusionize deploy', which sets ${ENVIRONMENT_VARIABLE}`,
    )
  const handler = createAdapter(module, environment, extension)
  return environment.streaming ? streamed(handler) : handler
}

/** Without it what a reply leaves behind ends before the reply. */
async function openExtension(): Promise<Extension | undefined> {
  try {
    return await startExtension(process.env.AWS_LAMBDA_RUNTIME_API ?? '', (error) => complain(error))
  } catch (error) {
    complain(error as Error)
    return undefined
  }
}

function complain({ message }: Error): void {
  const text = `nothing can go on after a reply: ${message}`
  writeLog({ level: 'warn', task: '', session: '', message: text, time: Date.now() })
}

import * as http from 'node:http'
import { type Exchanged, exchange } from './exchange.js'

/**
 * Asks the API that Lambda has in every environment ("Using the Lambda runtime API", AWS Lambda Developer Guide).
 * @param api its host and port
 * @throws when it does not take the request
 */
export async function askRuntime(
  api: string,
  method: 'GET' | 'POST',
  path: string,
  headers: Record<string, string>,
  body = '',
  agent?: http.Agent,
): Promise<Exchanged> {
  const [hostname, port] = api.split(':')
  const answer = await exchange(http, { agent, hostname, port, method, path, headers }, body)
  if (answer.status < 300) return answer
  throw new Error(`Lambda answered ${method} ${path} with ${answer.status}: ${answer.body}`)
}

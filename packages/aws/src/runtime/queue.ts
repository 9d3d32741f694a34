import { askJson, type Service } from './service.js'

/** Ms in which SQS must answer. */
const ANSWER_MS = 10_000

/** Puts a message into a queue. @param delayS for which nobody gets it, 0…900 */
export async function sendMessage(sqs: Service, url: string, message: object, delayS?: number): Promise<void> {
  const body = { QueueUrl: url, MessageBody: JSON.stringify(message), ...(delayS && { DelaySeconds: delayS }) }
  const response = await askJson(sqs, 'AmazonSQS.SendMessage', body, Date.now() + ANSWER_MS)
  if (response.status !== 200)
    throw new Error(`SQS took no message for ${url}: status ${response.status}, ${response.body}`)
}

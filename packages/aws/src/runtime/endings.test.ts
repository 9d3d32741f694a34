import { expect, it } from 'vitest'
import { endingsIn } from './endings.js'
import type { Service, ServiceRequest } from './service.js'

/** A log that answers by pages, in turn. */
function logs(...answers: { status?: number; page?: object }[]) {
  const asked: unknown[] = []
  const service: Service = {
    async ask({ body, headers }: ServiceRequest) {
      asked.push({ ...JSON.parse(String(body)), target: headers?.['x-amz-target'] })
      const { page = {}, status = 200 } = answers[asked.length - 1] ?? {}
      return { status, headers: {}, body: Buffer.from(JSON.stringify(page)) }
    },
  }
  return { service, asked }
}

const events = (...messages: string[]) => messages.map((message) => ({ message }))

it('counts the reports of an invocation, over pages and in either format of the log', async () => {
  const { service, asked } = logs(
    {
      page: { events: events('START RequestId: r Version: 1', 'REPORT RequestId: r\tDuration: 1 ms'), nextToken: 'n' },
    },
    { page: { events: events('{"time":"t","type":"platform.report","record":{"requestId":"r"}}') } },
  )
  expect(await endingsIn(service, 'g')('r', 5)).toBe(2)
  const request = { logGroupName: 'g', startTime: 5, filterPattern: '"r"', target: 'Logs_20140328.FilterLogEvents' }
  expect(asked).toEqual([request, { ...request, nextToken: 'n' }])
})

it('does not know when it is refused, and leaves the log alone for a while', async () => {
  const { service, asked } = logs({ status: 400, page: { __type: 'ThrottlingException' } })
  const endings = endingsIn(service, 'g', 60_000)
  expect(await endings('r', 0)).toBeUndefined()
  expect(await endings('other', 0)).toBeUndefined()
  expect(asked).toHaveLength(1)
})

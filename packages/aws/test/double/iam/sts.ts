import { randomUUID } from 'node:crypto'
import type { Call, Reply, ServiceDouble } from '../gateway/call.js'
import { AwsError } from '../gateway/error.js'

/** STS as far as `GetCallerIdentity` goes. Not imitated: everything else. */
export class StsDouble implements ServiceDouble {
  readonly #account: string

  constructor(account: string) {
    this.#account = account
  }

  operationOf({ body }: { body: Buffer }): string {
    return new URLSearchParams(body.toString('utf8')).get('Action') ?? ''
  }

  resourcesOf(): string[] {
    return []
  }

  handle(call: Call): Reply {
    if (call.operation !== 'GetCallerIdentity')
      throw new AwsError('InvalidAction', 400, `The double of STS has no ${call.operation}`)
    return {
      status: 200,
      headers: { 'content-type': 'text/xml' },
      body:
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
        `<Arn>${call.principal.arn}</Arn><UserId>AIDATESTS</UserId><Account>${this.#account}</Account></GetCallerIdentityResult>` +
        `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
    }
  }
}

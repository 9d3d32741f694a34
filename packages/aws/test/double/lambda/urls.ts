import type { FunctionUrlAuthType, FunctionUrlConfig, InvokeMode } from '@aws-sdk/client-lambda'
import { bodyOf, type Call, json, type Reply } from '../gateway/call.js'
import { AwsError } from '../gateway/error.js'
import { conflict, invalid, type LambdaFunction, notFound } from './model.js'
import { type UrlParts, UrlServer } from './url-server.js'

interface UrlRequest {
  call: Call
  fn(): LambdaFunction
  qualifier: string | undefined
}

interface UrlInput {
  AuthType?: FunctionUrlAuthType
  Cors?: object
  InvokeMode?: InvokeMode
}

/** Configurations of function URLs, each with a server that listens as long as there is one. */
export class FunctionUrls {
  readonly #parts: UrlParts
  readonly #servers = new Map<FunctionUrlConfig, UrlServer>()

  constructor(parts: UrlParts) {
    this.#parts = parts
  }

  readonly operations: Record<string, (request: UrlRequest) => Reply | Promise<Reply>> = {
    CreateFunctionUrlConfig: async ({ call, fn, qualifier }) =>
      json(201, await this.#create(fn(), qualifier, bodyOf(call))),
    UpdateFunctionUrlConfig: ({ call, fn, qualifier }) => {
      const input = bodyOf<UrlInput>(call)
      const { config, server } = this.#find(fn(), qualifier)
      checkMode(input)
      if (input.AuthType) server.authType = input.AuthType
      if (input.InvokeMode) server.isStreaming = input.InvokeMode === 'RESPONSE_STREAM'
      return json(200, Object.assign(config, input, { LastModifiedTime: this.#parts.now().toISOString() }))
    },
    GetFunctionUrlConfig: ({ fn, qualifier }) => json(200, this.#find(fn(), qualifier).config),
    ListFunctionUrlConfigs: ({ fn }) => json(200, { FunctionUrlConfigs: [...fn().urls.values()] }),
    DeleteFunctionUrlConfig: ({ fn, qualifier }) => {
      const { config, server } = this.#find(fn(), qualifier)
      server.close()
      this.#servers.delete(config)
      fn().urls.delete(qualifier ?? '')
      return json(204)
    },
  }

  close(): void {
    for (const server of this.#servers.values()) server.close()
  }

  async #create(fn: LambdaFunction, qualifier: string | undefined, input: UrlInput): Promise<FunctionUrlConfig> {
    checkMode(input)
    if (qualifier !== undefined && !fn.aliases.has(qualifier))
      throw notFound(this.#parts.places.arnOf(fn.name, qualifier))
    const key = qualifier ?? ''
    if (fn.urls.has(key))
      throw conflict(
        `Failed to create function url config for [functionArn = ${fn.arn}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
      )
    const { InvokeMode = 'BUFFERED' } = input
    const server = new UrlServer(this.#parts, fn.name, qualifier, input.AuthType ?? 'AWS_IAM')
    server.isStreaming = InvokeMode === 'RESPONSE_STREAM'
    const time = this.#parts.now().toISOString()
    const config: FunctionUrlConfig = {
      FunctionUrl: await server.listen(),
      FunctionArn: this.#parts.places.arnOf(fn.name, qualifier),
      AuthType: input.AuthType,
      ...(input.Cors ? { Cors: input.Cors } : {}),
      InvokeMode,
      CreationTime: time,
      LastModifiedTime: time,
    }
    fn.urls.set(key, config)
    this.#servers.set(config, server)
    return config
  }

  #find(fn: LambdaFunction, qualifier: string | undefined): { config: FunctionUrlConfig; server: UrlServer } {
    const config = fn.urls.get(qualifier ?? '')
    const server = config && this.#servers.get(config)
    if (!config || !server)
      throw new AwsError('ResourceNotFoundException', 404, 'The resource you requested does not exist.')
    return { config, server }
  }
}

function checkMode({ InvokeMode }: UrlInput): void {
  if (InvokeMode !== undefined && InvokeMode !== 'BUFFERED' && InvokeMode !== 'RESPONSE_STREAM')
    throw invalid(`Value '${InvokeMode}' at 'invokeMode' must be one of: BUFFERED, RESPONSE_STREAM`)
}

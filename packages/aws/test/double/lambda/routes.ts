/** Operations of Lambda's API by method and path, as the service's model has them. */
export const routes: readonly [operation: string, method: string, path: string][] = [
  ['GetAccountSettings', 'GET', '/2016-08-19/account-settings'],
  ['CreateFunction', 'POST', '/2015-03-31/functions'],
  ['ListFunctions', 'GET', '/2015-03-31/functions'],
  ['GetFunction', 'GET', '/2015-03-31/functions/{name}'],
  ['DeleteFunction', 'DELETE', '/2015-03-31/functions/{name}'],
  ['GetFunctionConfiguration', 'GET', '/2015-03-31/functions/{name}/configuration'],
  ['UpdateFunctionConfiguration', 'PUT', '/2015-03-31/functions/{name}/configuration'],
  ['UpdateFunctionCode', 'PUT', '/2015-03-31/functions/{name}/code'],
  ['Invoke', 'POST', '/2015-03-31/functions/{name}/invocations'],
  ['PublishVersion', 'POST', '/2015-03-31/functions/{name}/versions'],
  ['ListVersionsByFunction', 'GET', '/2015-03-31/functions/{name}/versions'],
  ['CreateAlias', 'POST', '/2015-03-31/functions/{name}/aliases'],
  ['ListAliases', 'GET', '/2015-03-31/functions/{name}/aliases'],
  ['GetAlias', 'GET', '/2015-03-31/functions/{name}/aliases/{id}'],
  ['UpdateAlias', 'PUT', '/2015-03-31/functions/{name}/aliases/{id}'],
  ['DeleteAlias', 'DELETE', '/2015-03-31/functions/{name}/aliases/{id}'],
  ['AddPermission', 'POST', '/2015-03-31/functions/{name}/policy'],
  ['GetPolicy', 'GET', '/2015-03-31/functions/{name}/policy'],
  ['RemovePermission', 'DELETE', '/2015-03-31/functions/{name}/policy/{id}'],
  ['PutFunctionConcurrency', 'PUT', '/2017-10-31/functions/{name}/concurrency'],
  ['DeleteFunctionConcurrency', 'DELETE', '/2017-10-31/functions/{name}/concurrency'],
  ['GetFunctionConcurrency', 'GET', '/2019-09-30/functions/{name}/concurrency'],
  ['PutFunctionEventInvokeConfig', 'PUT', '/2019-09-25/functions/{name}/event-invoke-config'],
  ['UpdateFunctionEventInvokeConfig', 'POST', '/2019-09-25/functions/{name}/event-invoke-config'],
  ['GetFunctionEventInvokeConfig', 'GET', '/2019-09-25/functions/{name}/event-invoke-config'],
  ['DeleteFunctionEventInvokeConfig', 'DELETE', '/2019-09-25/functions/{name}/event-invoke-config'],
  ['ListFunctionEventInvokeConfigs', 'GET', '/2019-09-25/functions/{name}/event-invoke-config/list'],
  ['CreateFunctionUrlConfig', 'POST', '/2021-10-31/functions/{name}/url'],
  ['UpdateFunctionUrlConfig', 'PUT', '/2021-10-31/functions/{name}/url'],
  ['GetFunctionUrlConfig', 'GET', '/2021-10-31/functions/{name}/url'],
  ['DeleteFunctionUrlConfig', 'DELETE', '/2021-10-31/functions/{name}/url'],
  ['ListFunctionUrlConfigs', 'GET', '/2021-10-31/functions/{name}/urls'],
  ['CreateEventSourceMapping', 'POST', '/2015-03-31/event-source-mappings'],
  ['ListEventSourceMappings', 'GET', '/2015-03-31/event-source-mappings'],
  ['GetEventSourceMapping', 'GET', '/2015-03-31/event-source-mappings/{id}'],
  ['UpdateEventSourceMapping', 'PUT', '/2015-03-31/event-source-mappings/{id}'],
  ['DeleteEventSourceMapping', 'DELETE', '/2015-03-31/event-source-mappings/{id}'],
  ['ListTags', 'GET', '/2017-03-31/tags/{name}'],
  ['TagResource', 'POST', '/2017-03-31/tags/{name}'],
  ['UntagResource', 'DELETE', '/2017-03-31/tags/{name}'],
]

const compiled = routes.map(([operation, method, path]) => ({
  operation,
  method,
  pattern: new RegExp(`^${path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}/?$`),
}))

/** What a request asks for, and the parts of its path; undefined where Lambda has no such thing. */
export function routeOf(method: string, path: string): { operation: string; name: string; id: string } | undefined {
  for (const route of compiled) {
    const match = route.method === method ? path.match(route.pattern) : null
    if (!match) continue
    const { name = '', id = '' } = match.groups ?? {}
    return { operation: route.operation, name: decodeURIComponent(name), id: decodeURIComponent(id) }
  }
  return undefined
}

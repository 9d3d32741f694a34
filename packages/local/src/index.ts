export type { FunctionLog } from './engine/sandbox.js'
export type { RequestLog } from './gateway/index.js'
export type { LogsPage } from './logs.js'
export { createLocalPlatform, defaults, type LocalPlatform, type LocalPlatformOptions } from './platform.js'

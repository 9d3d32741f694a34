export { createLocalPlatform, defaults, type LocalPlatform, type LocalPlatformOptions } from './platform.js'

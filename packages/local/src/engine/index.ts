/** Parts of the engine that stand by themselves: for other platforms that run sandboxes, and for measurements. */
export { writeFrame } from '../sandbox/frames.js'
export * as kind from '../sandbox/kinds.js'
export { openGroups, type ResourceGroups, unlimited } from './cgroup.js'
export type { Exit, Host, HostEvents, HostRequest, StartHost } from './host.js'
export { startProcess } from './process-host.js'
export { startThread } from './thread-host.js'

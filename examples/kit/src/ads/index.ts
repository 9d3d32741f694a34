export * from './campaigns.js'
export * from './check.js'
export * from './events.js'

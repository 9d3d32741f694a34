export * from './chain.js'
export * from './fan-out.js'

export * from './check.js'

export * as names from './names.js'

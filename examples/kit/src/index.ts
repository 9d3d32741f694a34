export * from './file-store.js'
export * from './rates.js'
export * from './store.js'
export * from './work.js'

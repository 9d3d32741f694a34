export type * from './envelope.js'
export type * from './environment.js'

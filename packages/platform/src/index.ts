export { type Builder, type BuilderOptions, type BuildResult, createBuilder } from './build/builder.js'
export { BuildError, type BuildProblem, type BuildProblemKind } from './build/problems.js'
export * from './platform.js'

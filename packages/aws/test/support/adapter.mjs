/** Stands in for the runtime adapter where a test is about deploying alone: answers with the names of what it was given. */
export function start(module) {
  return async () => ({ function: module.function, tasks: module.tasks.length })
}

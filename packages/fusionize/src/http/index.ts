export { type BodyHeaders, inputOfBody, inputOfRequest } from './input.js'
export { jsonProblem } from './json-break.js'
export { errorReply, failure, problem, replyTo } from './replies.js'
export { traceparentOf } from './trace.js'

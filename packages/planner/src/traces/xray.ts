import { assembleSpans } from './assemble.js'
import { type ForeignSpan, type SpanKind, shortText } from './foreign-span.js'
import { type Document, isObject, listOf, type Sink, type TraceFormat } from './format.js'
import { functionOf } from './otlp.js'

/** AWS X-Ray: segment documents (one a line, or a list), and what BatchGetTraces answers, whose documents are text in the document. */
export const xray: TraceFormat<ForeignSpan> = {
  name: 'AWS X-Ray',
  matches: (document) => isAnswer(document) || isSegment(document) || isDocument(document) || isHeader(document),
  read,
  parts: 'spans',
  keyOf: ({ id }) => id,
  assemble: assembleSpans,
}

const isAnswer = ({ Traces }: Document) =>
  Array.isArray(Traces) && Traces.every((trace) => trace === null || (isObject(trace) && 'Segments' in trace))
const isSegment = (document: Document) =>
  'trace_id' in document && typeof document.id === 'string' && ('start_time' in document || 'in_progress' in document)
/** A segment as BatchGetTraces lists it. */
const isDocument = ({ Document: text, Id }: Document) => typeof text === 'string' && typeof Id === 'string'
/** The line that the X-Ray daemon wants before each segment. */
const isHeader = ({ format, version }: Document) => format === 'json' && version === 1

function read(document: Document, sink: Sink<ForeignSpan>): void {
  if (isSegment(document)) readSegment(document, sink)
  else if (isDocument(document)) readText(document, sink)
  for (const trace of listOf(document.Traces))
    for (const segment of listOf(isObject(trace) ? trace.Segments : undefined))
      if (isObject(segment) && isDocument(segment)) readText(segment, sink)
      else if (segment !== null) sink.skip('a segment of BatchGetTraces has no Document')
  const unprocessed = listOf(document.UnprocessedTraceIds).length
  if (unprocessed > 0) sink.skip(`X-Ray left ${unprocessed} of the traces asked for out (UnprocessedTraceIds)`)
}

function readText({ Document: text, Id }: Document, sink: Sink<ForeignSpan>): void {
  let segment: unknown
  try {
    segment = JSON.parse(text as string)
  } catch {
    sink.skip(`the Document of segment ${shortText(Id)} is not JSON`)
    return
  }
  if (isObject(segment) && isSegment(segment)) readSegment(segment, sink)
  else sink.skip(`the Document of segment ${shortText(Id)} is no segment`)
}

/** What a segment says of all that is in it. */
interface Place {
  trace: string
  service: string
  /** It stands for the way, and so does all that is in it. */
  relay: boolean
  sink: Sink<ForeignSpan>
}

function readSegment(json: Document, sink: Sink<ForeignSpan>): void {
  if (typeof json.trace_id !== 'string' || json.trace_id === '') {
    sink.skip('a segment without trace_id')
    return
  }
  const trace = plainId(json.trace_id)
  const origin = typeof json.origin === 'string' ? json.origin : ''
  const aws = isObject(json.aws) ? json.aws : {}
  const arn = [json.resource_arn, aws.function_arn, ...listOf(aws.resource_names)]
    .map(String)
    .map(functionOf)
    .find(Boolean)
  // A subsegment that was sent alone is its parent's, whoever that is.
  const service = json.type === 'subsegment' ? '' : shortText(arn ?? json.name ?? 'unknown service')
  const parent = typeof json.parent_id === 'string' ? json.parent_id : ''
  const span = spanOf(json, parent, service, 'server', sink)
  if (!span) return
  if (json.type === 'subsegment') span.kind = kindOf(json)
  else if (origin === 'AWS::Lambda') span.stand = true
  else if (isWay(origin)) span.relay = true
  const place: Place = { trace, service, relay: span.relay === true, sink }
  if (origin === 'AWS::Lambda::Function') readPhases(span, json)
  sink.item(trace, span, 1)
  readSubsegments(json.subsegments, span.id, place)
}

/** `1-58406520-a006649127e371903a2de979` is 58406520a006649127e371903a2de979 to OpenTelemetry. */
function plainId(trace: string): string {
  return /^1-[0-9a-f]{8}-[0-9a-f]{24}$/i.test(trace) ? trace.slice(2).replace('-', '') : trace
}

/** Services of AWS that pass requests on. */
function isWay(origin: string): boolean {
  return origin.startsWith('AWS::') && !/^AWS::(Lambda|EC2|ECS|EKS|ElasticBeanstalk|AppRunner)/.test(origin)
}

/**
 * The phases of a function's segment: the handler runs in Invocation; Initialization is its start-up; Overhead is what goes on after the
 * reply, and is billed.
 */
function readPhases(span: ForeignSpan, { subsegments }: Document): void {
  for (const phase of listOf(subsegments)) {
    if (!isObject(phase)) continue
    const [start, end] = [Number(phase.start_time) * 1000, Number(phase.end_time) * 1000]
    if (!(end >= start)) continue
    if (phase.name === 'Initialization') {
      span.coldMs = end - start
      span.startMs = Math.max(span.startMs, Math.min(end, span.endMs))
    }
    if (phase.name === 'Invocation') {
      span.startMs = start
      span.doneMs = Math.max(span.endMs, end)
      span.endMs = end
    }
  }
  // The segment tells of every start-up: without one it was warm.
  span.isCold = span.coldMs !== undefined
}

function readSubsegments(list: unknown, parent: string, place: Place): void {
  const open = listOf(list).map((json) => ({ json, parent }))
  for (let next = open.pop(); next; next = open.pop()) {
    const { json, parent } = next
    if (!isObject(json)) {
      place.sink.skip('a subsegment is no object')
      continue
    }
    const span = spanOf(json, parent, place.service, kindOf(json), place.sink)
    if (!span) continue
    if (place.relay) span.relay = true
    place.sink.item(place.trace, span, 1)
    for (const inner of listOf(json.subsegments)) open.push({ json: inner, parent: span.id })
  }
}

/** Calls of AWS and of other services are the ones with a namespace. */
function kindOf({ namespace }: Document): SpanKind {
  return namespace === 'aws' || namespace === 'remote' ? 'client' : 'internal'
}

function spanOf(
  json: Document,
  parent: string,
  service: string,
  kind: SpanKind,
  sink: Sink<ForeignSpan>,
): ForeignSpan | undefined {
  const skip = (why: string) => void sink.skip(`${shortText(json.name ?? json.id)}: ${why}`)
  if (typeof json.id !== 'string') return skip('no id')
  if (json.in_progress === true) return skip('still in progress when it was written')
  const [startMs, endMs] = [Number(json.start_time) * 1000, Number(json.end_time) * 1000]
  if (!(startMs > 0) || !(endMs > 0)) return skip('no start_time or no end_time')
  if (endMs < startMs) return skip('it ends before it starts')
  const task = service === '' ? shortText(json.name ?? 'unknown service') : service
  const span: ForeignSpan = { id: json.id, parent, service, task, kind, startMs, endMs }
  const aws = isObject(json.aws) ? json.aws : {}
  if (kind === 'client' && /^(Invoke|InvokeAsync|InvokeWithResponseStream)$/.test(String(aws.operation))) {
    if (typeof aws.function_name === 'string')
      span.invokes = shortText(functionOf(aws.function_name) ?? aws.function_name.split(':')[0])
    if (aws.invocation_type === 'Event' || aws.operation === 'InvokeAsync') span.asynchronous = true
  }
  const http = isObject(json.http) ? json.http : {}
  const response = isObject(http.response) ? http.response : {}
  if (typeof response.content_length === 'number') span.bytesOut = response.content_length
  const error = errorOf(json)
  if (error !== undefined) span.error = error
  return span
}

function errorOf({ cause, error, fault, throttle }: Document): string | undefined {
  if (fault !== true && error !== true && throttle !== true) return undefined
  const exception = isObject(cause) ? listOf(cause.exceptions)[0] : undefined
  if (isObject(exception))
    return shortText([exception.type, exception.message].filter((x) => x !== undefined).join(': ') || 'error')
  return throttle === true ? 'throttled' : fault === true ? 'fault' : 'error'
}

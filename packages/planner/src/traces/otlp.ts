import { assembleSpans } from './assemble.js'
import { type ForeignSpan, type SpanKind, shortText } from './foreign-span.js'
import { type Document, isObject, listOf, type Sink, type TraceFormat } from './format.js'
import { type Attribute, attributesOf, numberOf, textOf } from './otlp-attributes.js'

/**
 * OpenTelemetry's OTLP in its JSON encoding: one ExportTraceServiceRequest, or many as JSON lines (the collector's file exporter).
 * Attributes by the semantic conventions for FaaS, AWS Lambda, HTTP and messaging, in their stable and their earlier names.
 */
export const otlp: TraceFormat<ForeignSpan> = {
  name: 'OpenTelemetry (OTLP JSON)',
  matches: (document) => Array.isArray(document.resourceSpans) || isObject(document.trace) || hasBatches(document),
  read,
  parts: 'spans',
  keyOf: ({ id }) => id,
  assemble: assembleSpans,
}

/** Tempo answers with `batches` where OTLP has `resourceSpans`. */
function hasBatches({ batches }: Document): boolean {
  return Array.isArray(batches) && batches.every((batch) => isObject(batch) && 'scopeSpans' in batch)
}

function read(document: Document, sink: Sink<ForeignSpan>): void {
  const whole = isObject(document.trace) ? document.trace : document
  for (const batch of listOf(whole.resourceSpans ?? whole.batches)) {
    if (batch === null) continue
    if (!isObject(batch)) {
      sink.skip('an element of resourceSpans is no object')
      continue
    }
    const resource = resourceOf(batch.resource)
    for (const scope of listOf(batch.scopeSpans ?? batch.instrumentationLibrarySpans))
      for (const span of listOf(isObject(scope) ? scope.spans : undefined)) readSpan(span, resource, sink)
  }
}

/** What a resource says of all its spans. */
interface Resource {
  service: string
  isFaas: boolean
  memoryMb?: number
  /** Tasks by the name of their span: one text for all, not one for each span. */
  tasks: Map<unknown, string>
}

/** Names of a service that are remembered: some instrumentations put an id into every name. */
const MOST_NAMES = 1000

const resources = new WeakMap<object, Resource>()

function resourceOf(json: unknown): Resource {
  const known = isObject(json) ? resources.get(json) : undefined
  if (known) return known
  const attributes = attributesOf(isObject(json) ? json.attributes : undefined)
  const faas = textOf(attributes, 'faas.name') ?? functionOf(textOf(attributes, 'faas.id', 'cloud.resource_id') ?? '')
  const resource: Resource = {
    service: shortText(faas ?? textOf(attributes, 'service.name') ?? 'unknown service'),
    isFaas: faas !== undefined,
    tasks: new Map(),
  }
  const memory = numberOf(attributes, 'faas.max_memory')
  // Bytes since semantic conventions 1.14, MiB before: no function has 64 kB.
  if (memory !== undefined && memory > 0) resource.memoryMb = memory > 65_536 ? memory / 2 ** 20 : memory
  if (isObject(json)) resources.set(json, resource)
  return resource
}

/** The function's name in the ARN of a Lambda function. */
export function functionOf(arn: string): string | undefined {
  return /^arn:[^:]*:lambda:[^:]*:[^:]*:function:([^:]+)/.exec(arn)?.[1]
}

const kinds: Record<string, SpanKind> = {
  1: 'internal',
  2: 'server',
  3: 'client',
  4: 'producer',
  5: 'consumer',
  SPAN_KIND_SERVER: 'server',
  SPAN_KIND_CLIENT: 'client',
  SPAN_KIND_PRODUCER: 'producer',
  SPAN_KIND_CONSUMER: 'consumer',
}

function readSpan(json: unknown, resource: Resource, sink: Sink<ForeignSpan>): void {
  // What a scanner has cut out comes alone.
  if (json === null) return
  const why = isObject(json) ? brokenIn(json) : 'a span is no object'
  if (why !== undefined) {
    sink.skip(why)
    return
  }
  const document = json as Document & { traceId: string; spanId: string }
  const { parentSpanId, spanId, traceId } = document
  const kind = kinds[String(document.kind)] ?? 'internal'
  const parentId = typeof parentSpanId === 'string' && !/^0*$/.test(parentSpanId) ? parentSpanId : ''
  const link = parentId === '' ? linkOf(document.links, kind) : undefined
  const span: ForeignSpan = {
    id: spanId,
    parent: link?.spanId ?? parentId,
    service: resource.service,
    task: taskOf(resource, kind, document.name),
    kind,
    startMs: msOf(document.startTimeUnixNano),
    endMs: msOf(document.endTimeUnixNano),
  }
  addFacts(span, resource, attributesOf(document.attributes), document)
  sink.item(traceId, span, 1, link?.traceId)
}

/** Why a span cannot be used; undefined: it can. */
function brokenIn({ endTimeUnixNano, spanId, startTimeUnixNano, traceId }: Document): string | undefined {
  if (typeof traceId !== 'string' || traceId === '' || typeof spanId !== 'string' || spanId === '')
    return 'a span without traceId or spanId'
  const [startMs, endMs] = [msOf(startTimeUnixNano), msOf(endTimeUnixNano)]
  if (!(startMs > 0) || !(endMs > 0)) return `span ${shortText(spanId)} has no start or no end`
  return endMs < startMs ? `span ${shortText(spanId)} ends before it starts` : undefined
}

/** A function is a task; of a service, each operation that it serves is one. */
function taskOf({ isFaas, service, tasks }: Resource, kind: SpanKind, name: unknown): string {
  const serves = kind === 'server' || kind === 'consumer'
  if (isFaas || !serves || typeof name !== 'string' || name === '') return service
  const known = tasks.get(name)
  if (known !== undefined) return known
  const task = shortText(`${service} ${name}`)
  if (tasks.size < MOST_NAMES) tasks.set(name, task)
  return task
}

/** What a message's consumer without a parent continues: the first of its links. A batch's other messages are other requests. */
function linkOf(links: unknown, kind: SpanKind): { traceId: string; spanId: string } | undefined {
  if (kind !== 'consumer' && kind !== 'server') return undefined
  const first = listOf(links)[0]
  if (!isObject(first) || typeof first.traceId !== 'string' || typeof first.spanId !== 'string') return undefined
  return { traceId: first.traceId, spanId: first.spanId }
}

/** Names that instrumentations give to a function's start-up. */
const START_UP = /^(platform\.init\w*|aws[._ ]lambda[._ ]init\w*|lambda[._ ]init\w*|initiali[sz]ation|cold ?start)$/i

function addFacts(span: ForeignSpan, resource: Resource, attributes: Record<string, Attribute>, json: Document): void {
  if (resource.memoryMb !== undefined) span.memoryMb = resource.memoryMb
  const invokes =
    textOf(attributes, 'faas.invoked_name') ?? functionOf(textOf(attributes, 'aws.lambda.invoked_arn') ?? '')
  if (invokes !== undefined && (span.kind === 'client' || span.kind === 'producer')) span.invokes = shortText(invokes)
  const type = textOf(attributes, 'aws.lambda.invocation_type', 'faas.invocation_type')
  if (type === 'Event') span.asynchronous = true
  const cold = attributes['faas.coldstart']
  if (typeof cold === 'boolean') span.isCold = cold
  if (START_UP.test(String(json.name))) span.coldMs = span.endMs - span.startMs
  const [bytesIn, bytesOut] = [
    numberOf(attributes, 'http.request.body.size', 'http.request_content_length', 'messaging.message.body.size'),
    numberOf(attributes, 'http.response.body.size', 'http.response_content_length'),
  ]
  if (bytesIn !== undefined) span.bytesIn = bytesIn
  if (bytesOut !== undefined) span.bytesOut = bytesOut
  const error = errorOf(json)
  if (error !== undefined) span.error = error
}

function errorOf({ status, events }: Document): string | undefined {
  if (!isObject(status) || (status.code !== 2 && status.code !== 'STATUS_CODE_ERROR')) return undefined
  if (typeof status.message === 'string' && status.message !== '') return shortText(status.message)
  const exception = listOf(events).find((event) => isObject(event) && event.name === 'exception') as
    | Document
    | undefined
  const { 'exception.type': type, 'exception.message': message } = attributesOf(exception?.attributes)
  return shortText([type, message].filter((x) => x !== undefined).join(': ') || 'error')
}

/** Epoch ms of OTLP's nanoseconds, which JSON has as text. Whole ms first: as one number they would lose what is below 256 ns. */
function msOf(nanos: unknown): number {
  if (typeof nanos === 'number') return nanos / 1e6
  if (typeof nanos !== 'string') return Number.NaN
  return nanos.length > 6 ? Number(nanos.slice(0, -6)) + Number(nanos.slice(-6)) / 1e6 : Number(nanos) / 1e6
}

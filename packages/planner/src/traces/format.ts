import type { RequestTrace } from './types.js'

/** A JSON object, nothing known of it. */
export type Document = Record<string, unknown>

/** Where a document's parts go. */
export interface Sink<Item> {
  /**
   * Hands over one part of a trace.
   * @param trace its id
   * @param size spans in it
   * @param joins id of another trace that it belongs to as well: both become one
   */
  item(trace: string, item: Item, size: number, joins?: string): void
  /** Something in the document that could not be used. */
  skip(why: string): void
}

/** One way to write traces down: how its documents look, what is in them, and how the parts of a trace make a request. */
export interface TraceFormat<Item = unknown> {
  /** For people: `OpenTelemetry (OTLP JSON)`. */
  name: string
  /** Whether a document is of this format, by its content. */
  matches(document: Document): boolean
  /** Takes the parts out of a document. @throws {SyntaxError} it says it is of this format but cannot be read */
  read(document: Document, sink: Sink<Item>): void
  /** Formats with the same kind of parts share their traces: one may hold the caller and the other the callee. */
  parts: string
  /** What tells a part from the others of its trace: one that comes twice counts once. */
  keyOf(item: Item): string
  /** The request that the parts of one trace tell of; or why they tell of none. */
  assemble(trace: string, items: readonly Item[]): RequestTrace | string
}

export function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

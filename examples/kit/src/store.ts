/** One entry of a stream. */
export interface Entry {
  id: string
  value: unknown
}

/**
 * Documents by key and streams of entries; values are JSON. The applications use nothing else of a database, so that another can
 * stand in on another platform. Keys and names of streams are like `readings/s-1`.
 */
export interface Store {
  /** Replaces the document as a whole: a reader sees the old one or the new one. */
  put(key: string, value: unknown): Promise<void>
  /** The document, or undefined. */
  get<T>(key: string): Promise<T | undefined>
  /** Keys that begin with `prefix`, in order. */
  list(prefix?: string): Promise<string[]>
  /** Adds an entry. Adding it again, as a retry does, changes nothing: entries are known by their id. */
  append(stream: string, id: string, value: unknown): Promise<void>
  /** The entries of a stream, ordered by id; an id that was given two different values shows both. */
  entries(stream: string): Promise<Entry[]>
  /** Everything, one line each, in an order that does not depend on when it was written; equal texts = equal stores. */
  dump(): Promise<string>
}

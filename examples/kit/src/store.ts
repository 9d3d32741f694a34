/** What a store holds. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/** One entry of a stream. */
export interface Entry {
  id: string
  value: Json
}

/**
 * Documents by key and streams of entries. The applications use nothing else of a database, so that another can stand in on another
 * platform. Keys and names of streams are like `readings/s-1`.
 */
export interface Store {
  /** Replaces the document as a whole: a reader sees the old one or the new one. */
  put(key: string, value: Json): Promise<void>
  /** The document, or undefined. */
  get<T extends Json>(key: string): Promise<T | undefined>
  /** Keys that begin with `prefix`, in order. */
  list(prefix?: string): Promise<string[]>
  /** Adds an entry. Adding it again, as a retry does, changes nothing: entries are known by their id. */
  append(stream: string, id: string, value: Json): Promise<void>
  /** The entries of a stream, ordered by id; an id that was given two different values shows both. */
  entries(stream: string): Promise<Entry[]>
  /** Everything, one line each, in an order that does not depend on when it was written; equal texts = equal stores. */
  dump(): Promise<string>
}

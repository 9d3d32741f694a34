/** Nested lists of what a message of a link mostly is made of. */
export type Flat = string | number | boolean | null | undefined | readonly Flat[]

/** Words of a message at most, besides its text. */
const MAX_WORDS = 256

// In the place of a string's length, which is not negative.
const NULL = -1
const UNDEFINED = -2
const TRUE = -3
const FALSE = -4
const INTEGER = -5
const DOUBLE = -6
const LIST = -7

const double = new Float64Array(1)
const halves = new Int32Array(double.buffer)

/**
 * Writes nested lists as one text, all their strings in a row, and words that say what is where. JSON would take three times as long, most of
 * it for the quotes in the JSON that messages carry. One instance serves all messages of a thread, one after the other.
 */
export class FlatMessage {
  readonly words = new Int32Array(MAX_WORDS)
  length = 0
  text = ''

  /** @returns false when there is something else in it, or too much */
  encode(value: unknown): boolean {
    this.length = 0
    this.text = ''
    return this.#add(value)
  }

  /** What `words` and `text` say. */
  decode(): Flat {
    this.#word = 0
    this.#char = 0
    return this.#next()
  }

  #word = 0
  #char = 0

  #add(value: unknown): boolean {
    switch (typeof value) {
      case 'string':
        this.text += value
        return this.#push(value.length)
      case 'number':
        if ((value | 0) === value && !Object.is(value, -0)) return this.#push(INTEGER) && this.#push(value)
        double[0] = value
        return this.#push(DOUBLE) && this.#push(halves[0] as number) && this.#push(halves[1] as number)
      case 'boolean':
        return this.#push(value ? TRUE : FALSE)
      case 'undefined':
        return this.#push(UNDEFINED)
      default:
        return value === null ? this.#push(NULL) : Array.isArray(value) && this.#addList(value)
    }
  }

  #addList(list: readonly unknown[]): boolean {
    if (!this.#push(LIST) || !this.#push(list.length)) return false
    for (let i = 0; i < list.length; i++) if (!this.#add(list[i])) return false
    return true
  }

  #push(word: number): boolean {
    if (this.length === MAX_WORDS) return false
    this.words[this.length++] = word
    return true
  }

  #next(): Flat {
    const { words } = this
    const word = words[this.#word++] as number
    if (word >= 0) {
      const from = this.#char
      this.#char += word
      return this.text.slice(from, this.#char)
    }
    switch (word) {
      case NULL:
        return null
      case TRUE:
        return true
      case FALSE:
        return false
      case INTEGER:
        return words[this.#word++]
      case DOUBLE:
        halves[0] = words[this.#word++] as number
        halves[1] = words[this.#word++] as number
        return double[0]
      case LIST: {
        const length = words[this.#word++] as number
        const list: Flat[] = []
        for (let i = 0; i < length; i++) list.push(this.#next())
        return list
      }
      default:
        return undefined
    }
  }
}

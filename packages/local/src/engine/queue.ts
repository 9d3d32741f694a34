/** First in, first out; taking from the front costs O(1). Items can be given up where they stand. */
export class Queue<T> {
  #items: (T | undefined)[] = []
  #front = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: T): void {
    this.#items.push(item)
    this.#size++
  }

  peek(): T | undefined {
    this.#skip()
    return this.#items[this.#front]
  }

  shift(): T | undefined {
    this.#skip()
    if (this.#size === 0) return undefined
    const item = this.#items[this.#front]
    this.#items[this.#front++] = undefined
    this.#size--
    return item
  }

  remove(item: T): boolean {
    const at = this.#items.indexOf(item, this.#front)
    if (at === -1) return false
    this.#items[at] = undefined
    this.#size--
    return true
  }

  #skip(): void {
    while (this.#front < this.#items.length && this.#items[this.#front] === undefined) this.#front++
    if (this.#front > 64 && this.#front * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#front)
      this.#front = 0
    }
  }
}

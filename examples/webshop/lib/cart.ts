/** A line of a cart. */
export interface CartItem {
  /** Given by whoever adds it: adding it again, as a retry does, changes nothing. */
  item: string
  product: string
  quantity: number
}

export interface Cart {
  user: string
  /** In the order of their names. */
  items: CartItem[]
}

/** The cart with an item in it, whether it was there or not. */
export function withItem({ user, items }: Cart, added: CartItem): Cart {
  return { user, items: inOrder([...items.filter(({ item }) => item !== added.item), added]) }
}

export function inOrder(items: readonly CartItem[]): CartItem[] {
  return [...items].sort((a, b) => (a.item < b.item ? -1 : 1))
}

/** Two things that a user saved for later on an earlier visit: everybody comes back with a cart. */
export function savedItems(user: string): CartItem[] {
  const letters = [...user].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
  return [0, 1].map((i) => ({ item: `saved-${i}`, product: `p-${((letters + 5 * i) % 11) + 1}`, quantity: i + 1 }))
}

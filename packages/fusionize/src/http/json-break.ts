/** Why a text is no JSON, for messages; undefined when it is. */
export function jsonProblem(text: string): { message: string; position: number } | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch {
    const position = jsonBreak(text)
    const what = position < text.length ? `unexpected ${JSON.stringify(text[position])}` : 'it ends'
    return { message: `${what} at position ${position}`, position }
  }
}

/**
 * Where a text stops being JSON (RFC 8259): the index of the first character that no JSON text could have there, or the text's length when it
 * ends too early; -1 when it is JSON. For messages: the engine's own parser does not always say.
 */
export function jsonBreak(text: string): number {
  const nesting: string[] = []
  let at = skipSpace(text, 0)
  let expected: 'value' | 'value or ]' | 'key' | 'key or }' | 'more' = 'value'
  for (;;) {
    const char = text[at]
    if (expected === 'more') {
      const inside = nesting.at(-1)
      if (inside === undefined) return char === undefined ? -1 : at
      if (char === ',') {
        expected = inside === '{' ? 'key' : 'value'
        at++
      } else if (char === (inside === '{' ? '}' : ']')) {
        nesting.pop()
        at++
      } else return at
    } else if ((expected === 'key or }' && char === '}') || (expected === 'value or ]' && char === ']')) {
      expected = 'more'
    } else if (expected === 'key' || expected === 'key or }') {
      const end = char === '"' ? endOfString(text, at) : ~at
      if (end < 0) return ~end
      at = skipSpace(text, end)
      if (text[at] !== ':') return at
      expected = 'value'
      at++
    } else if (char === '{' || char === '[') {
      nesting.push(char)
      expected = char === '{' ? 'key or }' : 'value or ]'
      at++
    } else {
      const end = endOfScalar(text, at)
      if (end < 0) return ~end
      at = end
      expected = 'more'
    }
    at = skipSpace(text, at)
  }
}

/** @returns where it ends; when it is none, the complement of where it breaks */
function endOfScalar(text: string, at: number): number {
  const char = text[at]
  if (char === '"') return endOfString(text, at)
  for (const word of ['true', 'false', 'null']) if (char === word[0]) return endOfWord(text, at, word)
  return endOfNumber(text, at)
}

function endOfWord(text: string, start: number, word: string): number {
  for (let i = 0; i < word.length; i++) if (text[start + i] !== word[i]) return ~(start + i)
  return start + word.length
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  for (; text[at] !== '"'; at++) {
    const char = text[at]
    if (char === undefined || char < ' ') return ~at
    if (char !== '\\') continue
    at++
    const escaped = text[at]
    if (escaped === undefined || !'"\\/bfnrtu'.includes(escaped)) return ~at
    if (escaped !== 'u') continue
    for (let digit = 0; digit < 4; digit++) {
      at++
      if (!/^[0-9a-fA-F]$/.test(text[at] ?? '')) return ~at
    }
  }
  return at + 1
}

function endOfNumber(text: string, start: number): number {
  let at = text[start] === '-' ? start + 1 : start
  const digits = () => {
    const first = at
    while (isDigit(text[at])) at++
    return at > first
  }
  if (text[at] === '0') at++
  else if (!digits()) return ~at
  if (text[at] === '.') {
    at++
    if (!digits()) return ~at
  }
  if (text[at] === 'e' || text[at] === 'E') {
    at++
    if (text[at] === '+' || text[at] === '-') at++
    if (!digits()) return ~at
  }
  return at
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9'
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++
  return at
}

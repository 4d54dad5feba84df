/** Where in a value there is something that messages can be sent to, such as a ref or an inbox. Looks into plain objects and arrays. */
export function pathToSender(value: unknown): string | undefined {
  return search(value, '', new Set());
}

function search(value: unknown, path: string, seen: Set<object>): string | undefined {
  if (typeof value !== 'object' || value === null || seen.has(value)) return undefined;
  if ('sendMessage' in value && typeof value.sendMessage === 'function') return path;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !Array.isArray(value)) return undefined;
  seen.add(value);
  for (const [key, part] of Object.entries(value)) {
    const found = search(part, `${path}.${key}`, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

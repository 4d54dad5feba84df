import { SharedInbox, type SharedInboxData, type SharedInboxEnvironment } from '../../core/index.js';

/** Where in the args of a process a shared inbox has its place. */
export interface PassedInbox {
  readonly path: readonly string[];
  readonly inbox: SharedInboxData;
}

/** The args of a process without the shared inboxes in them, which do not survive cloning. */
export interface PartedArgs {
  readonly args: unknown;
  readonly found: readonly { readonly path: readonly string[]; readonly inbox: SharedInbox }[];
}

/** Takes the shared inboxes out of args, and leaves the args as they are. Looks into plain objects and arrays. */
export function partArgs(args: unknown): PartedArgs {
  const found: { path: readonly string[]; inbox: SharedInbox }[] = [];
  return { args: without(args, [], found, new Set()), found };
}

/** Puts the inboxes that were passed to a process to their places in its args. */
export function joinArgs(args: unknown, passed: readonly PassedInbox[], environment: SharedInboxEnvironment): unknown {
  const root = { args };
  const known = new Map<SharedArrayBuffer, SharedInbox>();
  for (const { path, inbox: data } of passed) {
    const inbox = known.get(data.memory) ?? SharedInbox.from(data, environment);
    known.set(data.memory, inbox);
    putAt(root, ['args', ...path], inbox);
  }
  return root.args;
}

function without(
  value: unknown,
  path: readonly string[],
  found: { path: readonly string[]; inbox: SharedInbox }[],
  above: Set<object>,
): unknown {
  if (value instanceof SharedInbox && !value.isOwned) {
    found.push({ path, inbox: value });
    return undefined;
  }
  if (typeof value !== 'object' || value === null || above.has(value)) return value;
  const isArray = Array.isArray(value);
  if (!isArray && Object.getPrototypeOf(value) !== Object.prototype) return value;
  above.add(value);
  const foundBefore = found.length;
  const parts = Object.entries(value).map(([key, part]) => [key, without(part, [...path, key], found, above)] as const);
  above.delete(value);
  if (found.length === foundBefore) return value;
  return isArray ? parts.map(([, part]) => part) : Object.fromEntries(parts);
}

function putAt(root: object, path: readonly string[], inbox: SharedInbox): void {
  let holder: object = root;
  for (const key of path.slice(0, -1)) {
    const next: unknown = Reflect.get(holder, key);
    if (typeof next !== 'object' || next === null) throw new Error(`the args have no place ${path.join('.')}`);
    holder = next;
  }
  Reflect.set(holder, path.at(-1) ?? '', inbox);
}

import { ALL_LEVELS, ANY_LEVEL, LEVEL_SEPARATOR } from './topic-pattern.js';

/** What a trie keeps under patterns. */
export interface TrieEntry {
  /** The last search that found it; the trie's own affair, so an entry is for one trie. 0 at first. */
  foundIn: number;
}

/**
 * Patterns by their levels, so that a topic meets only what begins as it does.
 *
 * A search goes through the levels of the topic once and keeps all places in the tree where it may be, at most two more for each place.
 * It stops where the topic leads nowhere, so what it costs depends on the patterns that match, wholly or at their beginning, and on no
 * others.
 *
 * Invariant: every node but the root has entries or a child.
 */
export class TopicTrie<T extends TrieEntry> {
  readonly #root: Node<T> = new Node();
  #nodes = 0;
  #search = 0;
  /** Where the search is, and where it will be one level on; kept, so that a search makes nothing but its result. */
  #here: Node<T>[] = [];
  #next: Node<T>[] = [];

  /** How many nodes it has beside its root: none when it has no patterns. */
  get nodes(): number {
    return this.#nodes;
  }

  /** @param pattern - one that was checked. */
  add(pattern: string, entry: T): void {
    let node = this.#root;
    for (const level of pattern.split(LEVEL_SEPARATOR)) {
      if (level === ALL_LEVELS) {
        node.anyEnd ??= new Set();
        node.anyEnd.add(entry);
        return;
      }
      node = node.child(level) ?? this.#grow(node, level);
    }
    node.end ??= new Set();
    node.end.add(entry);
  }

  remove(pattern: string, entry: T): void {
    const levels = pattern.split(LEVEL_SEPARATOR);
    const way: { readonly parent: Node<T>; readonly level: string }[] = [];
    let node = this.#root;
    let isAnyEnd = false;
    for (const level of levels) {
      if (level === ALL_LEVELS) {
        isAnyEnd = true;
        break;
      }
      const child = node.child(level);
      if (child === undefined) return;
      way.push({ parent: node, level });
      node = child;
    }
    node.forget(entry, isAnyEnd);
    // The last searches went through here, perhaps.
    this.#here = [];
    this.#next = [];
    // From its end on, what leads nowhere any more.
    for (let step = way.pop(); step !== undefined && node.isBare; step = way.pop()) {
      step.parent.drop(step.level);
      this.#nodes -= 1;
      node = step.parent;
    }
  }

  /** The entries with a pattern that matches the topic, each once however many of its patterns do. */
  match(topic: string): T[] {
    this.#search += 1;
    const found: T[] = [];
    let here = this.#here;
    let next = this.#next;
    here[0] = this.#root;
    let places = 1;
    for (let from = 0; from <= topic.length && places > 0; ) {
      const dot = topic.indexOf(LEVEL_SEPARATOR, from);
      const to = dot === -1 ? topic.length : dot;
      const level = topic.slice(from, to);
      from = to + 1;
      let onward = 0;
      for (let place = 0; place < places; place += 1) {
        const node = here[place];
        if (node === undefined) continue;
        if (node.anyEnd !== undefined) this.#collect(node.anyEnd, found);
        const named = node.named?.get(level);
        if (named !== undefined) next[onward++] = named;
        if (node.any !== undefined) next[onward++] = node.any;
      }
      places = onward;
      [here, next] = [next, here];
    }
    for (let place = 0; place < places; place += 1) {
      const node = here[place];
      if (node?.end !== undefined) this.#collect(node.end, found);
      if (node?.anyEnd !== undefined) this.#collect(node.anyEnd, found);
    }
    return found;
  }

  #collect(entries: Set<T>, found: T[]): void {
    for (const entry of entries) {
      if (entry.foundIn === this.#search) continue;
      entry.foundIn = this.#search;
      found.push(entry);
    }
  }

  #grow(parent: Node<T>, level: string): Node<T> {
    const child = new Node<T>();
    this.#nodes += 1;
    if (level === ANY_LEVEL) parent.any = child;
    else {
      parent.named ??= new Map();
      parent.named.set(level, child);
    }
    return child;
  }
}

/** Where patterns with the same beginning are. */
class Node<T> {
  /** What goes on with a level of its own. */
  named: Map<string, Node<T>> | undefined = undefined;
  /** What goes on with `*`. */
  any: Node<T> | undefined = undefined;
  /** What ends here. */
  end: Set<T> | undefined = undefined;
  /** What ends here with `#`. */
  anyEnd: Set<T> | undefined = undefined;

  get isBare(): boolean {
    return this.named === undefined && this.any === undefined && this.end === undefined && this.anyEnd === undefined;
  }

  child(level: string): Node<T> | undefined {
    return level === ANY_LEVEL ? this.any : this.named?.get(level);
  }

  drop(level: string): void {
    if (level === ANY_LEVEL) this.any = undefined;
    else if (this.named?.delete(level) === true && this.named.size === 0) this.named = undefined;
  }

  forget(entry: T, isAnyEnd: boolean): void {
    const entries = isAnyEnd ? this.anyEnd : this.end;
    if (entries?.delete(entry) !== true || entries.size > 0) return;
    if (isAnyEnd) this.anyEnd = undefined;
    else this.end = undefined;
  }
}

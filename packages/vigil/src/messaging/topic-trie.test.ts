import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TopicTrie, type TrieEntry } from './topic-trie.js';

class Named implements TrieEntry {
  foundIn = 0;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

describe('TopicTrie', () => {
  it('finds an entry once, however many of its patterns match', () => {
    const trie = new TopicTrie<Named>();
    const entry = new Named('a');
    for (const pattern of ['a.b', 'a.*', 'a.#', '#', '*.b', '*.*']) trie.add(pattern, entry);
    assert.deepEqual(trie.match('a.b'), [entry]);
    assert.deepEqual(trie.match('a.b'), [entry]);
  });

  it('finds nothing that was removed, and all that was not', () => {
    const trie = new TopicTrie<Named>();
    const [one, other] = [new Named('one'), new Named('other')];
    for (const entry of [one, other]) for (const pattern of ['a.b', 'a.#', 'a.*']) trie.add(pattern, entry);
    for (const pattern of ['a.b', 'a.#', 'a.*']) trie.remove(pattern, one);
    assert.deepEqual([trie.match('a.b'), trie.match('a')], [[other], [other]]);
  });

  it('is not changed by the removal of what it does not have', () => {
    const trie = new TopicTrie<Named>();
    const [one, other] = [new Named('one'), new Named('other')];
    trie.add('a.b', one);
    for (const pattern of ['a', 'a.#', 'a.*', 'a.b.c', 'x', '#', 'a.b.#']) trie.remove(pattern, one);
    trie.remove('a.b', other);
    assert.deepEqual(trie.match('a.b'), [one]);
    assert.equal(trie.nodes, 2);
  });

  it('goes as deep as topics and patterns do', () => {
    const trie = new TopicTrie<Named>();
    const deep = Array.from({ length: 50_000 }, (_, level) => `level${level}`).join('.');
    const entry = new Named('deep');
    trie.add(deep, entry);
    assert.deepEqual(trie.match(deep), [entry]);
    trie.remove(deep, entry);
    assert.equal(trie.nodes, 0);
  });

  it('PS-08: has no nodes left when its patterns have gone, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(patterns, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (added, picks) => {
        const trie = new TopicTrie<Named>();
        const entries = added.map((pattern) => ({ pattern, entry: new Named(pattern) }));
        for (const { pattern, entry } of entries) trie.add(pattern, entry);
        while (entries.length > 0) {
          const [gone] = entries.splice(picks.next().value % entries.length, 1);
          if (gone !== undefined) trie.remove(gone.pattern, gone.entry);
          assert.equal(trie.nodes, new Set(entries.flatMap(({ pattern }) => beginnings(pattern))).size);
        }
      }),
    );
  });

  it('PS-02: # matches the levels that follow, none included, and alone it matches everything', () => {
    for (const topic of ['events', 'events.a', 'events.a.b']) assert.ok(isMatch('events.#', topic), topic);
    for (const topic of ['event', 'eventss', 'other.events']) assert.ok(!isMatch('events.#', topic), topic);
    for (const topic of ['a', 'a.b', 'a.b.c']) assert.ok(isMatch('#', topic), topic);
  });

  it('* matches exactly one level', () => {
    for (const topic of ['events.a', 'events.b']) assert.ok(isMatch('events.*', topic), topic);
    for (const topic of ['events', 'events.a.b', 'other.a']) assert.ok(!isMatch('events.*', topic), topic);
    assert.ok(isMatch('*.user.*', 'events.user.created'));
    assert.ok(isMatch('*.#', 'events'));
    assert.ok(!isMatch('*.*.#', 'events'));
  });

  it('PS-04: a topic matches itself, with a last * and with a last #; one more level only the #', () => {
    fc.assert(
      fc.property(topics, (topic) => {
        const levels = topic.split('.');
        const withLast = (wildcard: string) => [...levels.slice(0, -1), wildcard].join('.');
        for (const pattern of [topic, withLast('*'), withLast('#')]) assert.ok(isMatch(pattern, topic), pattern);
        assert.ok(!isMatch(withLast('*'), `${topic}.extra`));
        assert.ok(isMatch(withLast('#'), `${topic}.extra`));
      }),
      { numRuns: 1_000 },
    );
  });

  it('PS-04: agrees with a naive matcher about any patterns and topics, while patterns come and go', () => {
    const changes = fc.record({ entry: fc.nat(4), pattern: patterns, isAdded: fc.boolean() });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(changes, { maxLength: 12 }), topics), { maxLength: 8 }), (rounds) => {
        const trie = new TopicTrie<Named>();
        const entries = Array.from({ length: 5 }, (_, index) => ({ entry: new Named(`${index}`), patterns: new Set<string>() }));
        for (const [changed, topic] of rounds) {
          for (const { entry: index, pattern, isAdded } of changed) {
            const { entry, patterns: has } = entries[index]!;
            if (isAdded) trie.add(pattern, entry);
            else trie.remove(pattern, entry);
            if (isAdded) has.add(pattern);
            else has.delete(pattern);
          }
          const expected = entries.filter(({ patterns: has }) => [...has].some((pattern) => naive(pattern.split('.'), topic.split('.'))));
          assert.deepEqual(
            namesOf(trie.match(topic)),
            expected.map(({ entry }) => entry.name),
          );
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

const levels = fc.constantFrom('a', 'b', 'c', 'aa');
const topics = fc.array(levels, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'));
const patterns = fc
  .tuple(fc.array(fc.oneof(levels, fc.constant('*')), { maxLength: 5 }), fc.constantFrom('a', 'b', '*', '#'))
  .map(([parts, last]) => [...parts, last].join('.'));

/** By the words of the definition, one level at a time. */
function naive(pattern: readonly string[], topic: readonly string[]): boolean {
  const [wanted, ...restOfPattern] = pattern;
  const [level, ...restOfTopic] = topic;
  if (wanted === '#') return true;
  if (wanted === undefined || level === undefined) return wanted === level;
  return (wanted === '*' || wanted === level) && naive(restOfPattern, restOfTopic);
}

function isMatch(pattern: string, topic: string): boolean {
  const trie = new TopicTrie<Named>();
  trie.add(pattern, new Named(pattern));
  return trie.match(topic).length > 0;
}

function namesOf(entries: readonly Named[]): string[] {
  return entries.map(({ name }) => name).toSorted();
}

/** What the nodes of a pattern are called by their way; a last # has none of its own. */
function beginnings(pattern: string): string[] {
  const parts = pattern.split('.').filter((level) => level !== '#');
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'));
}

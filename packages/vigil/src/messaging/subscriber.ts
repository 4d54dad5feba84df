import { checkMethods, invalidOption, type OwnedSender, type TopicExchange, type TopicSubscription } from '../core/index.js';
import { checkPatterns, checkTopic } from './topic-pattern.js';
import { type TrieEntry, TopicTrie } from './topic-trie.js';

/**
 * What an inbox or process wants to be sent of what is published: all that matches one of its patterns, each message once however many of
 * them match.
 *
 * Patterns are levels with dots between them. `*` is one level, whichever it is; `#`, as the last level only, is all that follow, none
 * included: `events.#` matches `events`, `events.user` and `events.user.created`.
 *
 * It lasts as long as its inbox, whether anybody holds it or not. Two subscribers of one inbox are each sent what they want.
 */
export class Subscriber implements Disposable {
  readonly receiver: OwnedSender;
  readonly #patterns = new Set<string>();
  readonly #places = new Map<TopicExchange, TopicSubscription>();
  /** The patterns, for `matches`; made when that is first asked for. */
  #trie: TopicTrie<TrieEntry> | undefined;
  readonly #itself: TrieEntry = { foundIn: 0 };

  /**
   * @param receiver - an inbox, or a process by its ref.
   * @param exchange - the broker with which it is from the start.
   * @throws {VigilError} `InvalidConfiguration` when the receiver is neither.
   */
  constructor(receiver: OwnedSender, exchange: TopicExchange) {
    this.receiver = checkMethods('receiver', receiver, ['sendMessage', 'isClosed', 'onClose']);
    this.join(exchange);
  }

  /**
   * Adds patterns, in every broker that it is with: all of them, or none when one cannot be added.
   *
   * @throws {VigilError} `InvalidConfiguration` when a pattern has an empty level, a `*` beside other letters, or a `#` that is not the
   *   whole last level; `InboxClosed` when the inbox is closed.
   */
  subscribe(patterns: string | readonly string[]): void {
    const added = checkPatterns(patterns);
    for (const place of this.#places.values()) place.add(added);
    for (const pattern of added) {
      if (!this.#patterns.has(pattern)) this.#trie?.add(pattern, this.#itself);
      this.#patterns.add(pattern);
    }
  }

  /**
   * Takes patterns back: those that it has, the others are nothing to it. Without an argument, all of them.
   *
   * @throws {VigilError} `InvalidConfiguration` as `subscribe`.
   */
  unsubscribe(patterns?: string | readonly string[]): void {
    const removed = patterns === undefined ? new Set(this.#patterns) : checkPatterns(patterns);
    for (const pattern of removed) if (this.#patterns.delete(pattern)) this.#trie?.remove(pattern, this.#itself);
    for (const place of this.#places.values()) place.remove(removed);
  }

  /** Its patterns, in the order in which they were added. */
  patterns(): string[] {
    return [...this.#patterns];
  }

  /** Whether one of its patterns matches a topic. @throws {VigilError} `InvalidConfiguration` when the topic is none. */
  matches(topic: string): boolean {
    checkTopic(topic);
    this.#trie ??= this.#compile();
    return this.#trie.match(topic).length > 0;
  }

  /** @internal */
  join(exchange: TopicExchange): void {
    if (this.#places.has(exchange)) return;
    const place = exchange.open(this.receiver);
    if (this.#patterns.size > 0) place.add(this.#patterns);
    this.#places.set(exchange, place);
  }

  /** @internal False when it was not with it. */
  leave(exchange: TopicExchange): boolean {
    this.#places.get(exchange)?.close();
    return this.#places.delete(exchange);
  }

  [Symbol.dispose](): void {
    this.unsubscribe();
  }

  #compile(): TopicTrie<TrieEntry> {
    const trie = new TopicTrie<TrieEntry>();
    for (const pattern of this.#patterns) trie.add(pattern, this.#itself);
    return trie;
  }
}

export function checkSubscriber(value: Subscriber): Subscriber {
  if (!(value instanceof Subscriber)) throw invalidOption('subscriber', 'a Subscriber', value);
  return value;
}

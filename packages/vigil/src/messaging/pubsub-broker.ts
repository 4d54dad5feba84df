import {
  type Cancel,
  checkArray,
  checkSendOptions,
  type FanOutResult,
  type MailboxEnvironment,
  type Message,
  mailboxAccess,
  messageOf,
  type OwnedSender,
  type SendOptions,
  type TopicSubscription,
  VigilError,
} from '../core/index.js';
import { isClosedElsewhere } from './closed-elsewhere.js';
import { isKept } from './fan-out.js';
import { checkSubscriber, type Subscriber } from './subscriber.js';
import type { TopicBroker, TopicStats } from './topic-broker.js';
import { checkTopic } from './topic-pattern.js';
import { type TrieEntry, TopicTrie } from './topic-trie.js';

/**
 * Finds, for each message that is published on a topic, those who want it, however many there are who do not.
 *
 * A subscriber stays no longer than its inbox is open: when that closes or its process ends, it has left before anybody hears of it.
 */
export class PubSubBroker implements TopicBroker {
  readonly #environment: MailboxEnvironment;
  readonly #trie = new TopicTrie<Place>();
  #subscribers = 0;
  #patterns = 0;
  #published = 0;
  #delivered = 0;
  #failed = 0;

  constructor(environment: MailboxEnvironment) {
    this.#environment = environment;
  }

  publish(topic: string, payload: unknown, options?: SendOptions): FanOutResult {
    const places = this.#placesFor(topic, options);
    this.#published += 1;
    return this.#report(places.length, this.#send(places, topic, payload, options));
  }

  publishBatch(topic: string, payloads: readonly unknown[], options?: SendOptions): FanOutResult {
    checkArray('payloads', payloads);
    const places = this.#placesFor(topic, options);
    // A receiver may change the array that it finds in its hands.
    const { length } = payloads;
    this.#published += length;
    let delivered = 0;
    for (const payload of payloads.slice()) delivered += this.#send(places, topic, payload, options);
    return this.#report(length * places.length, delivered);
  }

  subscribe(subscriber: Subscriber): void {
    checkSubscriber(subscriber).join(this);
  }

  unsubscribe(subscriber: Subscriber): boolean {
    return checkSubscriber(subscriber).leave(this);
  }

  receiversOf(topic: string): OwnedSender[] {
    return this.#placesOn(checkTopic(topic)).map(({ receiver }) => receiver);
  }

  stats(): TopicStats {
    return {
      subscribers: this.#subscribers,
      patterns: this.#patterns,
      published: this.#published,
      delivered: this.#delivered,
      failed: this.#failed,
    };
  }

  /** @internal */
  open(receiver: OwnedSender): TopicSubscription {
    return new Place(receiver, this.#trie, (subscribers, patterns) => {
      this.#subscribers += subscribers;
      this.#patterns += patterns;
    });
  }

  #placesFor(topic: string, options: SendOptions | undefined): Place[] {
    checkTopic(topic);
    checkSendOptions(options);
    return this.#placesOn(topic);
  }

  #placesOn(topic: string): Place[] {
    const places = this.#trie.match(topic);
    return places.some(({ receiver }) => isClosedElsewhere(receiver)) ? places.filter((place) => place.isThere()) : places;
  }

  #send(places: readonly Place[], topic: string, payload: unknown, options: SendOptions | undefined): number {
    if (places.length === 0) return 0;
    const message = messageOf(this.#environment.nextMessageId(), payload, options, undefined, this.#environment);
    mailboxAccess.setTopic(message, topic);
    let delivered = 0;
    for (const { receiver } of places) if (this.#tries(receiver, message)) delivered += 1;
    return delivered;
  }

  #tries(receiver: OwnedSender, message: Message): boolean {
    try {
      return isKept(receiver.sendMessage(message));
    } catch {
      // Nobody is left whom it could be thrown at; the publisher is told how many refused it.
      const { telemetry } = this.#environment;
      if (telemetry.wants('message_dropped')) {
        telemetry.report('message_dropped', { mailbox: nameOf(receiver), messageId: message.id, priority: message.priority });
      }
      return false;
    }
  }

  #report(all: number, delivered: number): FanOutResult {
    this.#delivered += delivered;
    this.#failed += all - delivered;
    return { delivered, failed: all - delivered };
  }
}

/**
 * One receiver in one broker.
 *
 * Invariant: while it has patterns, and only then, it is in the trie and waits for the end of its receiver.
 */
class Place implements TopicSubscription, TrieEntry {
  foundIn = 0;
  readonly receiver: OwnedSender;
  readonly #trie: TopicTrie<Place>;
  readonly #count: (subscribers: number, patterns: number) => void;
  readonly #patterns = new Set<string>();
  #forget: Cancel | undefined;

  constructor(receiver: OwnedSender, trie: TopicTrie<Place>, count: (subscribers: number, patterns: number) => void) {
    this.receiver = receiver;
    this.#trie = trie;
    this.#count = count;
  }

  add(patterns: ReadonlySet<string>): void {
    if (this.receiver.isClosed()) throw new VigilError('InboxClosed', `"${nameOf(this.receiver)}" is closed and cannot subscribe`);
    const { size } = this.#patterns;
    for (const pattern of patterns) {
      if (this.#patterns.has(pattern)) continue;
      this.#patterns.add(pattern);
      this.#trie.add(pattern, this);
    }
    this.#changed(size);
  }

  remove(patterns: ReadonlySet<string>): void {
    const { size } = this.#patterns;
    for (const pattern of patterns) if (this.#patterns.delete(pattern)) this.#trie.remove(pattern, this);
    this.#changed(size);
  }

  /** Whether its receiver has not ended. One of whose end nobody was told yet leaves by that. */
  isThere(): boolean {
    if (!isClosedElsewhere(this.receiver)) return true;
    this.close();
    return false;
  }

  close(): void {
    this.remove(new Set(this.#patterns));
  }

  #changed(before: number): void {
    const { size } = this.#patterns;
    this.#count(Math.sign(size) - Math.sign(before), size - before);
    if (size > 0) this.#forget ??= this.receiver.onClose(() => this.close());
    else {
      this.#forget?.();
      this.#forget = undefined;
    }
  }
}

function nameOf(receiver: OwnedSender): string {
  if ('name' in receiver) return String(receiver.name);
  return 'id' in receiver ? String(receiver.id) : 'a mailbox';
}

import type { Subscriber, TopicBroker } from 'vigiljs';

/** Patterns of one connection. */
const MAX_PATTERNS = 32;

/** Bytes of a pattern, or of a message with its topic, since the server keeps some of both for each client. */
const MAX_BYTES = 4_096;

/** Has the subscriber hear what is published on topics that match. Returns how many patterns it has. @throws when it may not. */
export function subscribe(subscriber: Subscriber, pattern: string): string {
  checkSize('a pattern', Buffer.byteLength(pattern));
  const patterns = subscriber.patterns();
  if (patterns.length >= MAX_PATTERNS && !patterns.includes(pattern)) throw new Error(`a connection has up to ${MAX_PATTERNS} patterns`);
  subscriber.subscribe(pattern);
  return countOf(subscriber);
}

/** Takes a pattern back, whether the subscriber has it or not. Returns how many it has. @throws when it is none. */
export function unsubscribe(subscriber: Subscriber, pattern: string): string {
  subscriber.unsubscribe(pattern);
  return countOf(subscriber);
}

/** Sends all whose patterns match the topic a line, the same bytes to each. @param message - a topic, a space and a text. */
export function publish(broker: Pick<TopicBroker, 'publish'>, message: Buffer): string {
  const space = message.indexOf(' ');
  if (space === -1) throw new Error('PUBLISH takes a topic and a text');
  checkSize('a message', message.length);
  const line = Buffer.concat([Buffer.from('MESSAGE '), message, Buffer.from('\n')]);
  const { delivered, failed } = broker.publish(message.toString('utf8', 0, space), line);
  return `delivered=${delivered} failed=${failed}`;
}

function countOf(subscriber: Subscriber): string {
  return `patterns=${subscriber.patterns().length}`;
}

function checkSize(what: string, bytes: number): void {
  if (bytes > MAX_BYTES) throw new Error(`${what} has up to ${MAX_BYTES} bytes`);
}

import type { TopicExchange, TopicSubscription } from '../../core/index.js';
import type { Handles } from './handles.js';

/**
 * The topics of the runtime, as code elsewhere asks for them: the places that it has taken, by the numbers that it gave them, until it
 * leaves them or ends.
 */
export class LentTopics {
  readonly #topics: TopicExchange;
  readonly #handles: Handles;
  readonly #places = new Map<number, TopicSubscription>();

  constructor(topics: TopicExchange, handles: Handles) {
    this.#topics = topics;
    this.#handles = handles;
  }

  add(number: number, holder: number, patterns: readonly string[]): void {
    let place = this.#places.get(number);
    if (place === undefined) {
      place = this.#topics.open(this.#handles.get(holder));
      this.#places.set(number, place);
    }
    place.add(new Set(patterns));
  }

  remove(number: number, patterns: readonly string[]): void {
    this.#places.get(number)?.remove(new Set(patterns));
  }

  leave(number: number): void {
    this.#places.get(number)?.close();
    this.#places.delete(number);
  }

  /** Nobody is left who could leave them. */
  close(): void {
    for (const place of this.#places.values()) place.close();
    this.#places.clear();
  }
}

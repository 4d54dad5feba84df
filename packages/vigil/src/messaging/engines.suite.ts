import { describe } from 'node:test';
import type { InboxBuilder, Runtime } from '../app/index.js';
import { type Inbox, SharedInbox } from '../core/index.js';

/** One of the kinds of inboxes that have names, are members, subscribe, and are asked. */
export interface MessagingEngine {
  readonly name: string;
  /** @param collect - says the options; by default there are none. */
  build<T = unknown>(at: Runtime, collect?: Collect<T>): Inbox<T>;
  /** Where its maker is: nobody else has been told of it when this returns. */
  close(inbox: Inbox): void;
}

export type Collect<T> = (builder: InboxBuilder<T>) => InboxBuilder<T>;

const BYTES = 4096;

const LOCAL: MessagingEngine = {
  name: 'local inboxes',
  build: (at, collect = (builder) => builder) => collect(at.inboxBuilder()).build(),
  close: (inbox) => inbox.close(),
};

const SHARED: MessagingEngine = {
  name: 'shared inboxes',
  build: makeShared,
  close: (inbox) => inbox.close(),
};

/** Each as another thread has it than the one that made it. */
class LentInboxes implements MessagingEngine {
  readonly name = 'shared inboxes of other threads';
  readonly #makers = new WeakMap<Inbox, Inbox>();

  build<T>(at: Runtime, collect?: Collect<T>): Inbox<T> {
    const made = makeShared(at, collect);
    const lent = SharedInbox.from<T>(made.data(), at.environment);
    this.#makers.set(lent, made);
    return lent;
  }

  close(inbox: Inbox): void {
    this.#makers.get(inbox)?.close();
  }
}

/** Tests what holds for inboxes, whichever of them it is. */
export function describeWithInboxes(subject: string, body: (engine: MessagingEngine) => void): void {
  for (const engine of [LOCAL, SHARED, new LentInboxes()]) describe(`${subject} with ${engine.name}`, () => body(engine));
}

function makeShared<T>(at: Runtime, collect: Collect<T> = (builder) => builder): SharedInbox<T> {
  return collect(at.inboxBuilder()).shared({ bytes: BYTES }).build();
}

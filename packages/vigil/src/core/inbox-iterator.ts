import { isVigilError } from './errors.js';
import type { Inbox } from './inbox.js';
import type { Message } from './message.js';

type Receiver<T> = Pick<Inbox<T>, 'recv'>;

/** Gives what an inbox receives and ends when that is closed. A class and two functions: a closure for each wait would cost more than the wait. */
export class InboxIterator<T> implements AsyncIterator<Message<T>> {
  readonly #inbox: Receiver<T>;

  constructor(inbox: Receiver<T>) {
    this.#inbox = inbox;
  }

  next(): Promise<IteratorResult<Message<T>>> {
    return this.#inbox.recv().then(given, endedBy);
  }
}

function given<T>(value: T): IteratorResult<T> {
  return { done: false, value };
}

function endedBy(error: unknown): IteratorReturnResult<undefined> {
  if (isVigilError(error, 'InboxClosed')) return { done: true, value: undefined };
  throw error;
}

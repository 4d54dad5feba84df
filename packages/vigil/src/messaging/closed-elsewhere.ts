import { type OwnedSender, SharedInbox } from '../core/index.js';

/**
 * Whether a mailbox is an inbox that was closed, maybe in another thread and so recently that nobody here was told of it yet. All others
 * have told of their end by the time somebody asks.
 */
export function isClosedElsewhere(mailbox: OwnedSender): boolean {
  return mailbox instanceof SharedInbox && mailbox.isClosed();
}

import { checkMethods, type OwnedSender } from '../core/index.js';

/** @throws {VigilError} `InvalidConfiguration` for what cannot own a name. */
export function checkMailbox(mailbox: OwnedSender): OwnedSender {
  return checkMethods('mailbox', mailbox, ['send', 'isClosed', 'onClose', 'stats']);
}

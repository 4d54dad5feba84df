/** Inboxes in shared memory. `ring.ts` has the protocol, `layout.ts` the memory. */
export { SharedInbox, type SharedInboxData, type SharedInboxEnvironment, type SharedInboxOptions } from './shared-inbox.js';

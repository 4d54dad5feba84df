/** Inboxes in shared memory. `ring.ts` has the protocol, `layout.ts` the memory. */
export type { Parcels } from './parcels.js';
export {
  SharedInbox,
  type SharedInboxData,
  type SharedInboxEnvironment,
  type SharedInboxOptions,
  type SharedInboxOwner,
  type SharedInboxSide,
} from './shared-inbox.js';
export { SharedReplyBox } from './shared-reply-box.js';

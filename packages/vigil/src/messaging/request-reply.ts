/** The reference's namespace `request_reply`. */
export { ReplyMailbox } from './reply-mailbox.js';

import { checkOneOf, type MailboxOptions } from '../core/index.js';

export const MAILBOX_PROFILE_NAMES = ['safe', 'balanced', 'throughput'] as const;
export type MailboxProfileName = (typeof MAILBOX_PROFILE_NAMES)[number];

/** What a profile says about a mailbox, whatever is in it. */
export type MailboxProfile = Pick<
  MailboxOptions,
  'capacity' | 'priorityQueues' | 'enableDeadletter' | 'deadletterCapacity' | 'maxAttempts'
>;

/**
 * Options of mailboxes for three kinds of work. Each can be given to a child, too: `inbox: vigil.MAILBOX_PROFILES.safe`.
 *
 * - `safe`: nothing is lost without a trace, and a queue that grows is noticed early: 1,000 messages, dead letters, and after 3 attempts poison.
 * - `balanced`: Vigil's defaults.
 * - `throughput`: long queues in the order of arrival: 65,536 messages, no priorities, no dead letters.
 */
export const MAILBOX_PROFILES: Readonly<Record<MailboxProfileName, MailboxProfile>> = {
  safe: { capacity: 1000, priorityQueues: true, enableDeadletter: true, deadletterCapacity: 10_000, maxAttempts: 3 },
  balanced: { capacity: 1000, priorityQueues: true, enableDeadletter: false },
  throughput: { capacity: 65_536, priorityQueues: false, enableDeadletter: false },
};

const checkProfileName = checkOneOf(MAILBOX_PROFILE_NAMES);

/** @throws {VigilError} `InvalidConfiguration` for an unknown name. */
export function mailboxProfile(name: MailboxProfileName): MailboxProfile {
  return MAILBOX_PROFILES[checkProfileName('mailboxProfile', name)];
}

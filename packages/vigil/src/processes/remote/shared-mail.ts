import { type MailboxSettings, type Parcels, SharedInbox, type SharedInboxData, type SharedInboxEnvironment } from '../../core/index.js';
import type { LentInbox } from '../local-ref.js';
import { askToStop, countSaid, makeControl } from './control.js';
import { PARCEL_WINDOW, type ParcelData, type SharedMailData } from './protocol.js';

/** A larger inbox is lent message by message, since its memory, of more than 200 bytes for each message that can wait, is taken at once. */
const MOST_CAPACITY = 65_536;

/** Bytes for messages that do not lie in their record: what is larger, or finds no place, goes as a parcel. */
const BYTES_PER_MESSAGE = 1024;
const LEAST_BYTES = 64 * 1024;
const MOST_BYTES = 16 * 1024 * 1024;

/** What it needs of the process that it is for. */
export interface ParcelHome {
  /** A payload as it will arrive there. @throws {VigilError} `InvalidMessage` when it cannot go there. */
  convert(payload: unknown): unknown;
  postParcel(parcel: ParcelData): void;
}

/** Whether a thread gets its inbox in shared memory. */
export function canBeShared({ capacity }: MailboxSettings): boolean {
  return capacity <= MOST_CAPACITY;
}

/**
 * The inbox of a thread, on the side of its supervisor: in shared memory, so that no message waits for an event loop.
 *
 * Its memory is 230 kB with the default capacity of 1,000, and 1 MB more for messages of more than 92 bytes. The system gives it page by page
 * when it is used: some 100 kB in the beginning.
 *
 * Invariant: what was sent as a parcel is kept here until its message is out of the ring, or the process has ended; at most
 * `PARCEL_WINDOW` of them are on their way or lie there, and the code asks for the others.
 */
export class SharedMail implements Parcels, LentInbox {
  readonly inbox: SharedInbox;
  readonly #home: ParcelHome;
  readonly #control = makeControl();
  readonly #parcels = new Map<number, unknown>();
  readonly #isMeasuredHere: boolean;
  /** Those on their way to the code, or in its hands, as far as is known. */
  readonly #posted = new Set<number>();
  #lastParcel = 0;
  #lastPosted = 0;
  #isOpen = false;

  /** @throws {VigilError} `InvalidConfiguration` when there is not so much memory. */
  constructor(name: string, settings: MailboxSettings, environment: SharedInboxEnvironment, home: ParcelHome, supervisor: string) {
    this.#home = home;
    this.#isMeasuredHere = settings.sizeOf !== undefined && settings.maxMessageSize !== undefined;
    const bytes = Math.min(Math.max(settings.capacity * BYTES_PER_MESSAGE, LEAST_BYTES), MOST_BYTES);
    this.inbox = new SharedInbox(name, settings, environment, { bytes }, undefined, { parcels: this, supervisor });
  }

  get isClosed(): boolean {
    return this.inbox.isClosed();
  }

  /** For the code itself. */
  get order(): SharedMailData {
    return { inbox: this.inbox.data(), control: this.#control, isMeasuredHere: this.#isMeasuredHere };
  }

  /** For others. */
  get data(): SharedInboxData | undefined {
    return this.#isMeasuredHere || this.isClosed ? undefined : this.inbox.data();
  }

  /** The code is there. */
  open(): void {
    this.#isOpen = true;
    this.#postParcels();
  }

  /** The code is about to be told. */
  askToStop(): void {
    askToStop(this.#control);
  }

  /** Something is about to be said to the code that it has to know before it receives what is sent from now on. */
  aboutToSay(): void {
    countSaid(this.#control);
  }

  bury(threadId: number): void {
    this.inbox.bury(threadId);
  }

  parcelTaken(parcel: number): void {
    this.take(parcel);
  }

  /** The code has taken a parcel, or has heard that it is gone. */
  heardOf(parcel: number): void {
    this.#parcels.delete(parcel);
    this.#posted.delete(parcel);
    this.#postParcels();
  }

  /** For the code, which needs one that has not been posted yet. */
  fetch(parcel: number, isTaken: boolean): unknown {
    const payload = this.#parcels.get(parcel);
    if (isTaken) this.#parcels.delete(parcel);
    return payload;
  }

  send(payload: unknown): number {
    const copy = this.copy(payload);
    this.#lastParcel += 1;
    this.#parcels.set(this.#lastParcel, copy);
    this.#postParcels();
    return this.#lastParcel;
  }

  copy(payload: unknown): unknown {
    return this.#home.convert(payload);
  }

  look(parcel: number): unknown {
    return this.copy(this.#parcels.get(parcel));
  }

  take(parcel: number): unknown {
    const payload = this.#parcels.get(parcel);
    this.#parcels.delete(parcel);
    if (this.#posted.has(parcel)) this.#home.postParcel({ parcel, payload: undefined, isGone: true });
    return payload;
  }

  #postParcels(): void {
    while (this.#isOpen && this.#posted.size < PARCEL_WINDOW && this.#lastPosted < this.#lastParcel) {
      this.#lastPosted += 1;
      const parcel = this.#lastPosted;
      if (!this.#parcels.has(parcel)) continue;
      this.#posted.add(parcel);
      this.#home.postParcel({ parcel, payload: this.#parcels.get(parcel) });
    }
  }

  /** The process has ended. */
  close(): void {
    this.#isOpen = false;
    this.#parcels.clear();
  }
}

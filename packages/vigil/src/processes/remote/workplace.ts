import { type Environment, type SharedReplyBox, VigilError } from '../../core/index.js';
import type { ProcessSettings } from '../runner.js';
import { dehydrate } from './data.js';
import type { Answer, Call, FromCode, ParcelData, ToCode } from './protocol.js';
import type { Measured } from '../pulse.js';

/** Whose code runs in a workplace. */
export interface WorkplaceUser {
  /** For reports: `thread "encoder" (incarnation 2)`. */
  readonly who: string;
  receive(message: FromCode): void;
  answer(call: Call): Answer;
  /** Nothing of it runs any more, and all that was said there was heard; `failure` is why it ended, if not by itself and well. */
  gone(failure: Error | undefined): void;
}

/**
 * A thread or a Node process in which the code of one process can run. It boots as soon as it is made, and is a spare until it is used.
 * It keeps Node alive only while it is told to, and when it is to end.
 */
export interface Workplace {
  /** Whether it can still be used. */
  readonly isAlive: boolean;
  /** Of a thread. */
  readonly threadId?: number;
  /** Of a thread: where replies to the code's own requests go. */
  readonly replyTo?: string;
  /** Of a thread: where these may go through memory. */
  readonly replyBox?: SharedReplyBox;
  /** Whether the code blocks it while it waits for a message: then nothing is wrong with an event loop that does not turn. */
  readonly isAsleep?: boolean;
  /** Hands everything that is said there from now on to `user`. */
  use(user: WorkplaceUser): void;
  /** Says something there; nothing once it is gone. @throws when it cannot be cloned. */
  post(message: ToCode): void;
  /** Puts a payload where the code of a thread finds it when it needs it, whether its event loop turns or not. */
  postParcel?(parcel: ParcelData): void;
  /** Has the code stand still, and go on. */
  suspend(): void;
  resume(): void;
  /** Ends it without asking. What follows is `gone`. */
  halt(): void;
  keepAlive(isNeeded: boolean): void;
  measure(): Measured;
}

/** What a new workplace is made for. A spare serves another process of the same need. */
export interface Need {
  readonly settings: ProcessSettings;
  readonly incarnation: number;
  readonly environment: Environment;
}

/** What a spare is answered, whose module asks while it is imported. */
export function answerToSpare(): Answer {
  const message = 'this is a spare, which belongs to no process yet: names can be asked for in the body of the module';
  return { error: dehydrate(new VigilError('InvalidState', message)) };
}

/** Makes workplaces of one kind for one module. */
export type Boot = (need: Need) => Workplace;

/** For a thread of Vigil: sends back whatever comes, until it is closed. */
import type { Inbox, ProcessContext } from 'vigiljs';

export interface EchoingArgs {
  readonly ping: Inbox<number>;
  readonly pong: Inbox<number>;
}

export default async function echoing({ args: { ping, pong } }: ProcessContext<unknown, EchoingArgs>): Promise<void> {
  try {
    for await (const { payload } of ping) pong.send(payload);
  } finally {
    pong.close();
  }
}

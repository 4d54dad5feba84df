/** A thread of the soak: receives from its own inbox and from the shared one of all. */
import type { Inbox } from '../../core/index.js';
import type { ProcessContext } from '../process-context.js';
import type { SoakArgs } from './soak.suite.js';

export default async function relay(ctx: ProcessContext<unknown, SoakArgs>): Promise<void> {
  ctx.register(ctx.args.relay);
  await Promise.all([receiveAll(ctx.inbox), receiveAll(ctx.args.orders)]);
}

async function receiveAll(inbox: Inbox): Promise<void> {
  for (;;) {
    await inbox.recv();
    inbox.recvBatch(64);
  }
}

import { type BinaryLike, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import type { ProcessContext, Sender } from 'vigiljs';

/** What a worker is asked for. It may cross to a thread or to another process, so it is nothing but data. */
export type Request = { readonly kind: 'hash'; readonly text: Uint8Array } | { readonly kind: 'crash' };

/** What a worker tells the dispatcher; an answer has the correlation id of its request. */
export type Report =
  | { readonly kind: 'free'; readonly worker: string; readonly incarnation: number }
  | { readonly kind: 'answer'; readonly text: string };

export interface HasherArgs {
  /** The name of the dispatcher. */
  readonly dispatcher: string;
}

/** A worker: the same file as a task, in a thread and in a process of its own. It has started when it has said that it is free. */
export default async function hasher(ctx: ProcessContext<Request, HasherArgs>): Promise<void> {
  const dispatcher: Sender<Report> | undefined = ctx.whereis(ctx.args.dispatcher);
  if (dispatcher === undefined) throw new Error(`nobody has the name "${ctx.args.dispatcher}"`);

  dispatcher.send({ kind: 'free', worker: ctx.id, incarnation: ctx.incarnation });
  ctx.ready();
  for await (const { payload, metadata } of ctx.inbox) {
    dispatcher.send({ kind: 'answer', text: await perform(payload) }, { correlationId: metadata.correlationId });
  }
}

async function perform(request: Request): Promise<string> {
  switch (request.kind) {
    case 'hash':
      return (await derive(request.text, 'vigilant-server', 32)).toString('hex');
    case 'crash':
      throw new Error('a client asked for it');
  }
}

const derive = promisify<BinaryLike, BinaryLike, number, Buffer>(scrypt);

/** For a thread of Vigil: answers each request with its payload. */
import { type ProcessContext, reply } from 'vigiljs';

export default async function answering(ctx: ProcessContext<number>): Promise<void> {
  for await (const request of ctx.inbox) reply(request, request.payload);
}

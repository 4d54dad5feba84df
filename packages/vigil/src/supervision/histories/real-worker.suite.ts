/** The code of the workers of real histories: a body for tasks, and the module that threads and forks load. */
import { isVigilError, nextTurn, ProcessExit } from '../../core/index.js';
import type { ProcessBody, ProcessContext } from '../../processes/index.js';
import type { Deed, Manners } from './real-tree.suite.js';

/** What a worker is told at its start. */
export interface WorkerArgs {
  readonly manners: Manners;
  /** Where it is; with its id it makes the name that it takes. */
  readonly parentPath: string;
}

/** Takes a name, gets ready, then does what it is told until it is asked to stop. */
const obey: ProcessBody<Deed, WorkerArgs> = async (ctx) => {
  const { manners, parentPath } = ctx.args;
  ctx.register(`${parentPath}/${ctx.id}`);
  // A start that is not over at once, in a task as everywhere else.
  if (manners.isExplicit) await nextTurn();
  if (manners.failsAt.includes(ctx.incarnation)) throw new Error('boom');
  if (manners.declinesAt.includes(ctx.incarnation)) return ctx.ignore();
  if (manners.hangsAt.includes(ctx.incarnation)) return await ctx.stopped;
  ctx.ready();
  await obeyOrders(ctx);
  if (manners.onStop === 'throws') throw new Error('boom');
  if (manners.onStop === 'ignores') await new Promise<never>(() => {});
};
export default obey;

async function obeyOrders(ctx: ProcessContext<Deed, WorkerArgs>): Promise<void> {
  try {
    for (;;) await perform((await ctx.inbox.recv()).payload);
  } catch (error) {
    // A returned body has ended, whether it was asked to stop or told to return.
    if (!isVigilError(error, 'InboxClosed')) throw error;
  }
}

function perform(deed: Deed): Promise<void> | void {
  switch (deed) {
    case 'throw':
      throw new Error('boom');
    case 'return':
      throw new ProcessExit('normal');
    case 'info':
      throw new ProcessExit('shutdown', 'info');
    case 'exit':
      return process.exit(3);
    case 'stray':
      queueMicrotask(() => {
        throw new Error('boom');
      });
      return new Promise(() => {});
    case 'SIGKILL':
      throw new Error('nobody can be told to be killed');
  }
}

/** The same for a program: what it is told comes by line. The one that it starts itself has to end with it. */
export const WORKER_SCRIPT = `
case " $FAILS_AT " in *" $VIGIL_INCARNATION "*) exit 3;; esac
case "$ON_STOP" in
  throws) trap 'exit 3' TERM;;
  ignores) trap '' TERM;;
esac
sleep 1000 &
echo ready
while read -r deed; do
  case "$deed" in
    return) exit 0;;
    exit) exit 3;;
  esac
done
case "$ON_STOP" in
  throws) exit 3;;
  ignores) exec sleep 1000;;
esac
`;

import { EventEmitter, once } from 'node:events';
import { ProcessExit, VigilError } from '../core/index.js';
import type { ProcessBody, ProcessContext } from './process-context.js';

/**
 * What the processes of the conformance suite do. "Says x" is: sends the text x to whoever has the name `observer`.
 *
 * - `returns`: returns at once.
 * - `crashes`: throws at once an error with the message `scripted crash`, a cause and a field `status` of 503.
 * - `throws_text`: throws at once the text `scripted text`.
 * - `exits_with_info`: throws at once a `ProcessExit` with `shutdown` and the info `{ because: 'scripted' }`.
 * - `exits_normally`: throws at once a `ProcessExit` with `normal`.
 * - `meets_foreign_abort`: lets an `AbortError` through that has nothing to do with a stop request.
 * - `meets_foreign_close`: lets an `InboxClosed` through that has nothing to do with a stop request.
 * - `tells_who_it_is`: says `id#incarnation` and its args as JSON, then returns.
 * - `waits_for_stop`: says `entered`, leaves its messages unread, returns when it is asked to stop.
 * - `waits_in_vain`: says `entered`, and lets the `AbortError` through of a call that its own signal aborts.
 * - `throws_signal_reason`: says `entered`, waits for the stop request, throws the reason of its signal.
 * - `handles_messages`: says `entered`, then `heard x` for each message x; lets the `InboxClosed` of its inbox through.
 * - `crashes_when_stopped`: says `entered`, waits for the stop request, throws an error.
 * - `becomes_ready`: says `entered`; with the first message it says twice that it is ready, then that it declines to start; returns
 *   when it is asked to stop.
 * - `declines`: declines to start, at once; then says that it is ready and returns.
 * - `stops_itself`: asks itself to stop after a millisecond, and returns when it is asked to.
 * - `kills_itself`: kills itself after a millisecond, and goes on until then.
 * - `has_name`: names itself `scripted`, says `entered`, returns when it is asked to stop.
 * - `ignores_stop`: says `entered` and goes on whatever it is asked. Where its code still runs after a kill and the suite lets it
 *   go, it says that it is ready, names itself `late`, tries to receive and to send to itself, and throws an error.
 */
export type Script =
  | 'returns'
  | 'crashes'
  | 'throws_text'
  | 'exits_with_info'
  | 'exits_normally'
  | 'meets_foreign_abort'
  | 'meets_foreign_close'
  | 'tells_who_it_is'
  | 'waits_for_stop'
  | 'waits_in_vain'
  | 'throws_signal_reason'
  | 'handles_messages'
  | 'crashes_when_stopped'
  | 'becomes_ready'
  | 'declines'
  | 'stops_itself'
  | 'kills_itself'
  | 'has_name'
  | 'ignores_stop';

const never = new Promise<void>(() => {});

/**
 * The scripts as bodies, for every kind of process that runs one.
 *
 * @param letGo - lets `ignores_stop` go on, where the suite can reach it.
 */
export function scriptedBodies(letGo: Promise<void> = never): Record<Script, ProcessBody> {
  return {
    returns: () => {},
    crashes: () => {
      throw scriptedCrash();
    },
    throws_text: () => {
      const thrown: unknown = 'scripted text';
      throw thrown;
    },
    exits_with_info: () => {
      throw new ProcessExit('shutdown', { because: 'scripted' });
    },
    exits_normally: () => {
      throw new ProcessExit('normal');
    },
    meets_foreign_abort: () => AbortSignal.abort().throwIfAborted(),
    meets_foreign_close: () => {
      throw new VigilError('InboxClosed', 'the inbox of somebody else is closed');
    },
    tells_who_it_is: (ctx) => {
      say(ctx, `${ctx.id}#${ctx.incarnation} ${JSON.stringify(ctx.args)}`);
    },
    waits_for_stop: async (ctx) => {
      say(ctx, 'entered');
      await ctx.stopped;
    },
    waits_in_vain: async (ctx) => {
      say(ctx, 'entered');
      await once(new EventEmitter(), 'what never happens', { signal: ctx.signal });
    },
    throws_signal_reason: async (ctx) => {
      say(ctx, 'entered');
      await ctx.stopped;
      ctx.signal.throwIfAborted();
    },
    handles_messages: async (ctx) => {
      say(ctx, 'entered');
      for (;;) {
        const message = await ctx.inbox.recv();
        say(ctx, `heard ${String(message.payload)}`);
      }
    },
    crashes_when_stopped: async (ctx) => {
      say(ctx, 'entered');
      await ctx.stopped;
      throw scriptedCrash();
    },
    becomes_ready: async (ctx) => {
      say(ctx, 'entered');
      await ctx.inbox.recv();
      ctx.ready();
      ctx.ready();
      ctx.ignore();
      say(ctx, 'ready');
      await ctx.stopped;
    },
    declines: (ctx) => {
      ctx.ignore();
      ctx.ready();
    },
    stops_itself: async (ctx) => {
      ctx.timer.exitAfter(1, { keepAlive: true });
      await ctx.stopped;
    },
    kills_itself: async (ctx) => {
      ctx.timer.killAfter(1, { keepAlive: true });
      await never;
    },
    has_name: async (ctx) => {
      ctx.register('scripted');
      say(ctx, 'entered');
      await ctx.stopped;
    },
    ignores_stop: async (ctx) => {
      say(ctx, 'entered');
      await letGo;
      ctx.ready();
      const attempts = [
        () => ctx.register('late'),
        () => ctx.unregister('late'),
        () => ctx.inbox.tryRecv(),
        () => ctx.self.send('to a dead process'),
        () => ctx.inbox.send('into a dead inbox'),
      ];
      for (const attempt of attempts) {
        try {
          attempt();
        } catch {
          // Whether it is refused, and how, is for the tests of the kind.
        }
      }
      throw new Error('late crash');
    },
  };
}

function scriptedCrash(): Error {
  return Object.assign(new Error('scripted crash', { cause: new Error('scripted cause') }), { status: 503 });
}

function say(ctx: ProcessContext, text: string): void {
  ctx.whereis('observer')?.send(text);
}

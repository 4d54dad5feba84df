/**
 * What the processes of the boundary tests do, as a module for threads and forks whose default export is the errand that its own URL names:
 * `errands.suite.js?errand=echoes`. "Says x" is: sends x to whoever has the name `observer`. "The gate" is a mailbox with that name: it
 * is open once it has closed.
 */
import { isVigilError, type Message, type OwnedSender, ProcessExit, type Sender } from '../../core/index.js';
import type { ProcessBody, ProcessContext } from '../process-context.js';
import type { ProcessRef } from '../runner.js';

export type Errand =
  | 'echoes'
  | 'echoes_through_gate'
  | 'ignores_messages'
  | 'becomes_ready_through_gate'
  | 'gives_up_every_second'
  | 'fills_small_mailbox'
  | 'uses_its_inbox'
  | 'sends_to_itself_and_closes'
  | 'closes_before_it_reads'
  | 'discards_before_it_reads'
  | 'sends_what_cannot_be_cloned'
  | 'sends_too_much'
  | 'logs'
  | 'logs_too_much'
  | 'uses_names'
  | 'watches'
  | 'links'
  | 'traps_exits'
  | 'throws_when_it_hears_an_exit'
  | 'hears_signals'
  | 'throws_when_it_hears_a_signal'
  | 'gives_a_message_twice'
  | 'works_in_short_steps'
  | 'ends_with_everything_said';

const STEP_MS = 20;
const LAST_WORDS = 900;

const errands: Record<Errand, ProcessBody> = {
  echoes: async (ctx) => {
    for await (const message of ctx.inbox) say(ctx, describe(message));
  },
  /** Says `at the gate` first. */
  echoes_through_gate: async (ctx) => {
    await gate(ctx);
    for await (const message of ctx.inbox) say(ctx, describe(message));
  },
  ignores_messages: async (ctx) => {
    say(ctx, 'entered');
    await ctx.stopped;
  },
  becomes_ready_through_gate: async (ctx) => {
    await gate(ctx);
    ctx.ready();
    await ctx.stopped;
  },
  gives_up_every_second: async (ctx) => {
    let count = 0;
    for await (const message of ctx.inbox) {
      count += 1;
      if (count % 2 === 0) ctx.inbox.deadLetter(message);
      say(ctx, message.payload);
    }
  },
  fills_small_mailbox: async (ctx) => {
    const small = ctx.whereis('small');
    for (let number = 1; number <= 20; number += 1) {
      await small?.sendWait(number);
      say(ctx, number);
    }
    await ctx.stopped;
  },
  /** Waits at the gate for its messages; says what each question to its inbox is answered with. */
  uses_its_inbox: async (ctx) => {
    await gate(ctx);
    const { inbox } = ctx;
    const payloads = (messages: readonly Message[]) => messages.map(({ payload }) => payload);
    say(ctx, ['peek', payloads(inbox.peek()), payloads(inbox.peek(2)), inbox.stats().depth, inbox.isClosed(), inbox.name]);
    const [first, second] = inbox.recvBatch(2);
    const letters = [inbox.deadLetter(first!), inbox.deadLetter(second!)];
    say(ctx, ['given up', payloads([first!, second!]), letters.map(({ reason, mailbox, poisoned }) => [reason, mailbox, poisoned])]);
    say(ctx, ['again', codeOf(() => inbox.deadLetter(first!))]);
    const { deadLetters } = inbox;
    say(ctx, [
      'letters',
      deadLetters.size,
      deadLetters.list().map(({ message }) => message.payload),
      deadLetters.capacity,
      deadLetters.evicted,
    ]);
    say(ctx, [
      'replay',
      deadLetters.replay(letters[0]!.id),
      deadLetters.replay(letters[0]!.id),
      deadLetters.replay(letters[1]!.id, ctx.whereis('observer')),
    ]);
    say(ctx, ['third', inbox.tryRecv()?.payload, (await inbox.recvTimeout(5000))?.payload]);
    const replayed = await inbox.recv();
    say(ctx, ['replayed', replayed.payload, replayed.attemptCount, inbox.tryRecv()?.payload, await inbox.recvTimeout(1)]);
    inbox.deadLetter(replayed);
    say(ctx, ['discard', deadLetters.discard(-1), deadLetters.discardAll(), deadLetters.size]);
    inbox.close();
    say(ctx, ['closed', inbox.isClosed(), await codeOfPromise(inbox.recv()), codeOf(() => inbox.tryRecv())]);
  },
  sends_to_itself_and_closes: async (ctx) => {
    ctx.self.send('a');
    ctx.inbox.send('b');
    ctx.inbox.close();
    for await (const { payload } of ctx.inbox) say(ctx, payload);
  },
  /** Closes when five messages are there or on their way, before its event loop has turned. */
  closes_before_it_reads: async (ctx) => {
    say(ctx, 'waiting');
    while (ctx.inbox.stats().depth < 5);
    ctx.inbox.close();
    say(ctx, ctx.inbox.isClosed());
    for await (const { payload } of ctx.inbox) say(ctx, payload);
    say(ctx, 'through');
    await ctx.stopped;
  },
  discards_before_it_reads: async (ctx) => {
    say(ctx, 'waiting');
    while (ctx.inbox.stats().depth < 5);
    ctx.inbox.close({ discard: true });
    for await (const { payload } of ctx.inbox) say(ctx, payload);
    say(ctx, 'through');
    // What was on its way has arrived when this has.
    await ctx.whereis('sink')?.sendWait('a round trip');
    say(ctx, 'still here');
    await ctx.stopped;
  },
  sends_what_cannot_be_cloned: async (ctx) => {
    const observer = ctx.whereis('observer');
    for (const bad of [() => 1, { deep: [Symbol('s')] }, new WeakMap()]) {
      say(ctx, [codeOf(() => observer?.send(bad)), await codeOfPromise(observer?.sendWait(bad)), codeOf(() => ctx.self.send(bad))]);
    }
    await ctx.stopped;
  },
  /** Says how many of 1,500 were taken, then 1,500 more, with waiting, so that nothing is refused. */
  sends_too_much: async (ctx) => {
    const sink = ctx.whereis('sink');
    let taken = 0;
    const codes = new Set<string>();
    for (let number = 0; number < 1500; number += 1) {
      const code = codeOf(() => sink?.send(number));
      if (code === undefined) taken += 1;
      else codes.add(code);
    }
    for (let number = 0; number < 1500; number += 1) await sink?.sendWait(`waited ${number}`);
    say(ctx, taken);
    say(ctx, [...codes]);
    await ctx.stopped;
  },
  logs: async (ctx) => {
    ctx.log.debug('a');
    ctx.log.info('b', { x: 1 });
    ctx.log.warn('c', Object.assign(new TypeError('why'), { status: 5 }));
    ctx.log.error('d', () => 1);
    say(ctx, 'logged');
    await ctx.stopped;
  },
  logs_too_much: async (ctx) => {
    for (let line = 0; line < 5000; line += 1) ctx.log.info(`line ${line}`);
    await ctx.stopped;
  },
  uses_names: async (ctx) => {
    say(ctx, ['unknown', ctx.whereis('nobody')]);
    ctx.register('first');
    const me = ctx.whereis('first');
    say(ctx, ['me', isRef(me) && [me.id, me.incarnation, me.kind, me.isAlive(), me === ctx.self, ctx.whereis('first') === me]]);
    say(ctx, ['taken', codeOf(() => ctx.register('observer')), codeOf(() => ctx.register('first'))]);
    say(ctx, ['freed', ctx.unregister('first'), ctx.unregister('first'), ctx.unregister('observer'), ctx.whereis('first')]);
    say(ctx, ['mailbox', isOwned(ctx.whereis('small')) && ctx.whereis('small') === ctx.whereis('small')]);
    await ctx.stopped;
  },
  /** Watches a name that nobody has, a process, and a mailbox. */
  watches: async (ctx) => {
    say(ctx, (await ctx.monitor('nobody').down).reason.kind);
    const peer = refNamed(ctx, 'peer');
    const [cancelled, byRef, byName, own] = [peer.monitor(), ctx.monitor(peer), ctx.monitor('peer'), peer.monitor()];
    say(ctx, [cancelled.demonitor(), cancelled.demonitor()]);
    for (const { down } of [byRef, byName, own]) {
      const { id, ref, reason } = await down;
      say(ctx, [id, ref === peer, reason, byRef.demonitor()]);
    }
    say(ctx, [peer.isAlive(), codeOf(() => peer.send('x')), peer.stats().depth, (await peer.monitor().down).reason.kind]);
    await ctx.stopped;
  },
  links: async (ctx) => {
    const peer = refNamed(ctx, 'peer');
    ctx.link(peer);
    say(ctx, [ctx.unlink(peer), ctx.unlink(peer)]);
    ctx.link(peer);
    say(ctx, 'linked');
    await ctx.stopped;
  },
  traps_exits: async (ctx) => {
    const peer = refNamed(ctx, 'peer');
    ctx.onExit(({ ref, reason }) => say(ctx, [ref === peer, ref.id, reason]));
    ctx.link(peer);
    say(ctx, 'linked');
    await ctx.stopped;
  },
  throws_when_it_hears_an_exit: async (ctx) => {
    ctx.onExit(() => {
      throw new Error('errand: thrown by onExit');
    });
    ctx.link(refNamed(ctx, 'peer'));
    say(ctx, 'linked');
    await ctx.stopped;
  },
  hears_signals: async (ctx) => {
    ctx.onSignal('healthCheck', () => say(ctx, 'healthCheck'));
    ctx.onSignal('memoryWarning', () => say(ctx, 'memoryWarning'));
    say(ctx, 'listening');
    await ctx.stopped;
  },
  throws_when_it_hears_a_signal: async (ctx) => {
    ctx.onSignal('healthCheck', () => {
      throw new Error('errand: thrown by onSignal');
    });
    say(ctx, 'listening');
    await ctx.stopped;
  },
  gives_a_message_twice: async (ctx) => {
    const message = await ctx.inbox.recv();
    say(ctx, [ctx.whereis('small')?.sendMessage(message), codeOf(() => ctx.whereis('small')?.send('late', { ttlMs: 0 }))]);
    await ctx.stopped;
  },
  /** Never stands still for long, and is always busy. */
  works_in_short_steps: async (ctx) => {
    while (!ctx.signal.aborted) {
      const untilMs = ctx.clock.now() + STEP_MS;
      while (ctx.clock.now() < untilMs);
      say(ctx, 'step');
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
  ends_with_everything_said: (ctx) => {
    for (let number = 1; number <= LAST_WORDS; number += 1) say(ctx, number);
    throw new ProcessExit('shutdown', 'said it all');
  },
};

/** Where this module is, as that errand. */
export function errandModule(errand: Errand): URL {
  return new URL(`./errands.suite.js?errand=${errand}`, import.meta.url);
}

const body: ProcessBody = errands[errandNamed(new URL(import.meta.url).searchParams.get('errand'))];
export default body;

function errandNamed(text: string | null): Errand {
  return Object.keys(errands).find((known): known is Errand => known === text) ?? 'echoes';
}

function say(ctx: ProcessContext, what: unknown): void {
  ctx.whereis('observer')?.send(what);
}

async function gate(ctx: ProcessContext): Promise<void> {
  const opened = new Promise<void>((resolve) => mailboxNamed(ctx, 'gate').onClose(resolve));
  say(ctx, 'at the gate');
  await opened;
}

function mailboxNamed(ctx: ProcessContext, name: string): OwnedSender {
  const sender = ctx.whereis(name);
  if (isOwned(sender)) return sender;
  throw new Error(`no mailbox has the name ${name}`);
}

function describe({ payload, priority, sender, signal, ttlMs, attemptCount, metadata }: Message): unknown {
  return { payload, priority, sender, signal, ttlMs, attemptCount, ...metadata };
}

function refNamed(ctx: ProcessContext, name: string): ProcessRef {
  const sender = ctx.whereis(name);
  if (isRef(sender)) return sender;
  throw new Error(`no process has the name ${name}`);
}

function isRef(sender: Sender | undefined): sender is ProcessRef {
  return sender !== undefined && 'incarnation' in sender;
}

function isOwned(sender: Sender | undefined): sender is OwnedSender {
  return sender !== undefined && 'onClose' in sender;
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return isVigilError(error) ? error.code : String(error);
  }
}

async function codeOfPromise(promise: Promise<unknown> | undefined): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return isVigilError(error) ? error.code : String(error);
  }
}

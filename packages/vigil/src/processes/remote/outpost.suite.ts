import assert from 'node:assert/strict';
import { type Runtime, runtime } from '../../app/index.js';
import type { ExitReason, Inbox } from '../../core/index.js';
import type { ChildOptions, Supervisor } from '../../supervision/index.js';
import type { Startable } from '../../supervision/index.js';
import type { ProcessContext } from '../process-context.js';
import type { ProcessRef } from '../runner.js';
import { activeResources, closed, leftBehind, type Logged, loggerInto } from './arena.suite.js';

const VIGIL = new URL('../../index.js', import.meta.url).href;

/**
 * One process elsewhere, `envoy`, below a supervisor here, with what it may look for: an `observer` that it talks to, a `peer` task, a
 * `small` mailbox for two messages, a `sink` for many, and a `gate` that opens.
 */
export class Outpost {
  readonly runtime: Runtime;
  readonly supervisor: Supervisor;
  readonly observer: Inbox;
  readonly small: Inbox;
  readonly sink: Inbox;
  readonly gate: Inbox;
  readonly logged: Logged[] = [];
  readonly ends: ExitReason[] = [];
  readonly #resources = activeResources();

  constructor(envoy: Startable, options: ChildOptions = {}) {
    this.runtime = runtime({ log: loggerInto(this.logged) });
    this.observer = this.#mailbox('observer', 10_000);
    this.small = this.#mailbox('small', 2);
    this.sink = this.#mailbox('sink', 10_000);
    this.gate = this.#mailbox('gate', 1);
    for (const event of ['process_crashed', 'process_stopped'] as const) {
      this.runtime.telemetry.on(event, ({ metadata }) => void (metadata.id === 'envoy' && this.ends.push(metadata.reason)));
    }
    this.supervisor = this.runtime
      .supervisor()
      .maxRestarts(0)
      .child(
        'peer',
        (ctx: ProcessContext) => {
          ctx.register('peer');
          return ctx.stopped;
        },
        { restartType: 'temporary' },
      )
      .child('envoy', envoy, { restartType: 'temporary', ...options })
      .build();
  }

  /** Starts it, and answers what others send to. */
  async start(): Promise<ProcessRef> {
    await this.supervisor.start();
    const ref = this.supervisor.getChildInfo('envoy')?.ref;
    assert.ok(ref);
    return ref;
  }

  get peer(): ProcessRef {
    const ref = this.supervisor.getChildInfo('peer')?.ref;
    assert.ok(ref);
    return ref;
  }

  /** What is said next. */
  async heard(): Promise<unknown> {
    return (await this.observer.recv()).payload;
  }

  async heardAll(count: number): Promise<unknown[]> {
    const all: unknown[] = [];
    while (all.length < count) all.push(await this.heard());
    return all;
  }

  async heardThat(expected: unknown): Promise<void> {
    assert.deepEqual(await this.heard(), expected);
  }

  openGate(): void {
    this.gate.close();
  }

  /** Resolves with what the envoy ended with. */
  async ended(ref: ProcessRef): Promise<ExitReason> {
    const { reason } = await ref.monitor().down;
    if (reason.kind !== 'noproc') return reason;
    assert.ok(this.ends[0]);
    return this.ends[0];
  }

  /** Stops it all, and nothing is left. */
  async end(): Promise<void> {
    await this.supervisor.stop();
    assert.deepEqual(leftBehind(), []);
    await closed();
    assert.deepEqual(activeResources(), this.#resources);
  }

  #mailbox(name: string, capacity: number): Inbox {
    const mailbox = this.runtime.inboxBuilder<unknown>().name(name).capacity(capacity).build();
    this.runtime.registry.register(name, mailbox);
    return mailbox;
  }
}

/**
 * A module for the envoy.
 *
 * @param body - of the process: `say(x)` sends to the observer, `heard()` takes the next message.
 */
export function moduleOf(body: string, before = ''): URL {
  const source = `
    import * as vigil from ${JSON.stringify(VIGIL)};
    const code = (act) => { try { act(); } catch (error) { return error.code ?? String(error); } };
    const codeOf = async (promise) => { try { await promise; } catch (error) { return error.code ?? String(error); } };
    ${before}
    export default async (ctx) => {
      const say = (what) => ctx.whereis('observer').send(what);
      const heard = async () => (await ctx.inbox.recv()).payload;
      ${body}
    };`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

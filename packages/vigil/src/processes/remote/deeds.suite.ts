/**
 * What the processes of the torture tests do, as bodies, and as a module for threads and forks whose default export is the deed that its
 * own URL names: `deeds.suite.js?deed=exits`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { SystemClock } from '../../core/index.js';
import type { ProcessBody, ProcessContext } from '../process-context.js';

/** A program that does not heed what asks it to end; what is ignored stays ignored after `exec`. */
const STUBBORN = ['-c', 'trap "" TERM INT HUP; echo ready; exec sleep 1000'];

const FLOOD_BYTES = 100 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

const never = new Promise<void>(() => {});

/** "Says x" is: sends x to whoever has the name `observer`. Each says `entered` first. */
export type Deed =
  | 'obeys'
  | 'says_pid'
  | 'throws'
  | 'throws_after_await'
  | 'throws_in_microtask'
  | 'throws_in_timer'
  | 'rejects_unheard'
  | 'exits_with_3'
  | 'exits_with_0'
  | 'aborts'
  | 'loops'
  | 'waits_atomically'
  | 'hangs'
  | 'ignores_stop'
  | 'exhausts_heap'
  | 'exhausts_buffers'
  | 'floods_stdout'
  | 'has_stubborn_program'
  | 'leaves_program_behind'
  | 'has_program_and_loops'
  | 'waits_for_program';

const deeds: Record<Deed, ProcessBody> = {
  /** Does what it is asked. */
  obeys: (ctx) => ctx.stopped,
  /** Says the pid of its process, then does what it is asked. */
  says_pid: async (ctx) => {
    say(ctx, process.pid);
    await ctx.stopped;
  },
  throws: () => {
    throw new Error('deed: thrown at the start');
  },
  throws_after_await: async () => {
    await Promise.resolve();
    throw new Error('deed: thrown after an await');
  },
  throws_in_microtask: async () => {
    queueMicrotask(() => {
      throw new Error('deed: thrown in a microtask');
    });
    await never;
  },
  throws_in_timer: async () => {
    new SystemClock().after(
      1,
      () => {
        throw new Error('deed: thrown in a timer');
      },
      { keepAlive: true },
    );
    await never;
  },
  rejects_unheard: async () => {
    void Promise.reject(new Error('deed: nobody awaits this'));
    await never;
  },
  exits_with_3: async () => {
    process.exit(3);
    await never;
  },
  exits_with_0: async () => {
    process.exit(0);
    await never;
  },
  aborts: async () => {
    process.abort();
    await never;
  },
  loops: (ctx) => {
    say(ctx, process.pid);
    for (;;);
  },
  waits_atomically: () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
  hangs: () => never,
  /** Hears that it is to stop, and goes on. */
  ignores_stop: async (ctx) => {
    await ctx.stopped;
    say(ctx, 'asked to stop');
    await never;
  },
  exhausts_heap: async () => {
    const hoard: unknown[] = [];
    for (;;) {
      hoard.push(Array.from({ length: 1000 }, (_, index) => ({ index })));
      // In turns, so that it can be seen growing.
      if (hoard.length % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  },
  exhausts_buffers: async () => {
    const hoard: Buffer[] = [];
    for (;;) {
      hoard.push(Buffer.alloc(1024 * 1024, hoard.length));
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
  /** Says `flooded` after 100 MB on its standard output. */
  floods_stdout: async (ctx) => {
    const chunk = Buffer.alloc(CHUNK_BYTES, 'x');
    for (let written = 0; written < FLOOD_BYTES; written += CHUNK_BYTES) {
      if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
    }
    say(ctx, 'flooded');
    await ctx.stopped;
  },
  /** Says the pid of a program of its that does not heed SIGTERM. */
  has_stubborn_program: async (ctx) => {
    const program = spawn('sh', STUBBORN, { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(program.stdout, 'data');
    say(ctx, program.pid);
    await ctx.stopped;
  },
  /** The same, and it is gone before its event loop has turned. */
  leaves_program_behind: (ctx) => {
    const program = spawn('sleep', ['1000'], { stdio: 'ignore' });
    say(ctx, program.pid);
    process.exit(3);
  },
  has_program_and_loops: (ctx) => {
    const program = spawn('sleep', ['1000'], { stdio: 'ignore' });
    say(ctx, program.pid);
    for (;;);
  },
  /** Stands still until the program ends, which needs nobody's help to end. */
  waits_for_program: () => {
    spawnSync('sleep', ['1']);
  },
};

/** Says `entered`, then does it. */
export function deedBody(deed: Deed): ProcessBody {
  const does = deeds[deed];
  return (ctx) => {
    say(ctx, 'entered');
    return does(ctx);
  };
}

/** Where this module is, as that deed. */
export function deedModule(deed: Deed): URL {
  return new URL(`./deeds.suite.js?deed=${deed}`, import.meta.url);
}

const deed = deedNamed(new URL(import.meta.url).searchParams.get('deed'));
const body: ProcessBody = deedBody(deed);
export default body;

function deedNamed(text: string | null | undefined): Deed {
  return isDeed(text) ? text : 'obeys';
}

export function isDeed(text: string | null | undefined): text is Deed {
  return typeof text === 'string' && Object.hasOwn(deeds, text);
}

function say(ctx: ProcessContext, what: unknown): void {
  ctx.whereis('observer')?.send(what);
}

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe } from 'node:test';
import { type Inbox, nextTurn } from '../../core/index.js';
import type { ChildOptions } from '../../supervision/index.js';
import type { ProcessRef, Runner } from '../runner.js';
import { moduleOf, Outpost } from './outpost.suite.js';
import { it } from './patient-it.suite.js';

const TURNS = 1_000;
const PATIENCE_MS = 10_000;

/** What holds for names on the other side of a boundary. */
export function describeNames(kind: 'thread' | 'fork', runnerOf: (module: URL, spares?: number) => Runner): void {
  describe(`names in a ${kind}`, () => {
    let outpost: Outpost | undefined;

    /** @param body - of the process: `say(x)` sends to the observer, `heard()` takes the next message. */
    const start = async (body: string, before = '', spares = 0, options?: ChildOptions): Promise<{ post: Outpost; ref: ProcessRef }> => {
      const post = new Outpost(runnerOf(moduleOf(body, before), spares), options);
      outpost = post;
      return { post, ref: await post.start() };
    };

    const mailbox = (post: Outpost, name: string, capacity = 10): Inbox =>
      post.runtime.inboxBuilder<unknown>().name(name).capacity(capacity).build();

    afterEach(async () => {
      await outpost?.end();
      outpost = undefined;
    });

    it('that are known are found while the side of the registry stands still', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'vigil-names-'));
      try {
        const file = join(folder, 'found');
        const { post, ref } = await start(
          `const known = ctx.whereis('peer');
           say('known');
           await heard();
           for (let n = 0; n < 1000; n += 1) if (ctx.whereis('peer') !== known) throw new Error('another');
           (await import('node:fs')).writeFileSync(${JSON.stringify(file)}, '');
           say('found');
           await ctx.stopped;`,
        );
        await post.heardThat('known');
        ref.send('go');
        const deadline = performance.now() + PATIENCE_MS;
        while (!existsSync(file) && performance.now() < deadline);
        assert.ok(existsSync(file));
        await post.heardThat('found');
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it(`that change hands are never found with who had them: ${TURNS} times`, async () => {
      const { post, ref } = await start(
        `for (;;) {
           const number = await heard();
           ctx.whereis('db').send(number);
         }`,
      );
      for (let number = 1; number <= TURNS; number += 1) {
        const holder = mailbox(post, `holder ${number}`);
        post.runtime.registry.register('db', holder);
        ref.send(number);
        assert.equal((await holder.recv()).payload, number);
        holder.close();
      }
      assert.deepEqual(post.runtime.registry.lookup('db'), []);
    });

    it('MON-04: are free when it is heard that their owner is down', async () => {
      const { post } = await start(
        `const peer = ctx.whereis('peer');
         say(peer.id);
         await ctx.monitor(peer).down;
         say(ctx.whereis('peer'));
         await ctx.stopped;`,
      );
      await post.heardThat('peer');
      await post.supervisor.terminateChild('peer');
      await post.heardThat(undefined);
    });

    it('are free when it is asked whether their owner is alive, and it is not', async () => {
      const { post } = await start(
        `const peer = ctx.whereis('peer');
         say(peer.isAlive());
         // Nothing that is said to this thread or process in passing is read in here.
         while (peer.isAlive());
         say(ctx.whereis('peer'));
         await ctx.stopped;`,
      );
      await post.heardThat(true);
      await post.supervisor.terminateChild('peer');
      await post.heardThat(undefined);
    });

    it('that are unknown are asked for each time', async () => {
      const { post, ref } = await start(
        `say(ctx.whereis('later'));
         await heard();
         ctx.whereis('later').send('found');
         await ctx.stopped;`,
      );
      await post.heardThat(undefined);
      const later = mailbox(post, 'later');
      post.runtime.registry.register('later', later);
      ref.send('go');
      assert.equal((await later.recv()).payload, 'found');
    });

    it('REG-01: that are taken are refused with whoever has them, and stay with those', async () => {
      const { post } = await start(
        `for (const name of ['peer', 'mine']) {
           try {
             ctx.register(name);
             ctx.register(name);
           } catch ({ code, details }) {
             say([code, details.name, details.holder === ctx.whereis(name), details.holder === ctx.self]);
           }
         }
         await ctx.stopped;`,
      );
      await post.heardThat(['AlreadyRegistered', 'peer', true, false]);
      await post.heardThat(['AlreadyRegistered', 'mine', true, true]);
    });

    it('of its own are right at once', async () => {
      const { post } = await start(
        `const is = (name) => ctx.whereis(name) === ctx.self;
         const seen = [];
         for (let n = 0; n < 3; n += 1) {
           ctx.register('mine', n);
           seen.push(is('mine'), ctx.unregister('mine'), is('mine'), ctx.unregister('mine'));
         }
         say(seen);
         ctx.register('mine', { at: 'last' });
         await ctx.stopped;`,
      );
      const once = [true, true, false, false];
      await post.heardThat([...once, ...once, ...once]);
      while (post.runtime.registry.whereis('mine') === undefined) await nextTurn();
      assert.deepEqual(post.runtime.registry.lookup('mine')[0]?.value, { at: 'last' });
    });

    it('leave nothing in the registry when whoever knew them has ended', async () => {
      const { post, ref } = await start("ctx.register('mine'); say(ctx.whereis('peer').id); await heard();");
      await post.heardThat('peer');
      const freed: string[] = [];
      const { registry } = post.runtime;
      registry.listen(({ kind: what, name }) => freed.push(`${what} ${name}`));
      ref.send('go');
      await post.ended(ref);
      await post.supervisor.terminateChild('peer');
      assert.deepEqual(freed, ['ended mine', 'ended peer']);
    });

    it('reach through the default runtime, which stands for that of the application', async () => {
      const { post } = await start(
        `vigil.via('observer').send('via');
         const own = vigil.inbox();
         own.send('own');
         const message = vigil.msg('x').build();
         say([own.tryRecv().payload, message.id === vigil.msg('x').build().id, typeof vigil.defaultRuntime().clock.now()]);
         vigil.defaultRuntime().log.warn('from there', { x: 1 });
         say(code(() => vigil.via('nobody').send('x')));
         await ctx.stopped;`,
      );
      await post.heardThat('via');
      await post.heardThat(['own', false, 'number']);
      await post.heardThat('NotRegistered');
      assert.deepEqual(
        post.logged.filter(({ message }) => message === 'from there').map(({ level, details }) => [level, details]),
        [['warn', { x: 1 }]],
      );
    });

    it('have ids of messages that no other has, also while the module is imported', async () => {
      const { post } = await start(
        `say([early, vigil.msg('x').build().id]); await ctx.stopped;`,
        `const early = vigil.msg('x').build().id;`,
      );
      const ids = await post.heard();
      assert.ok(Array.isArray(ids) && ids.every((id) => /^m-\w+\.\d+$/.test(String(id))), String(ids));
      assert.equal(new Set(ids).size, 2);
    });

    it('are given by the registry of the default runtime, with values', async () => {
      const { post } = await start(
        `const { registry } = vigil.defaultRuntime();
         const before = registry.size;
         registry.register('me', ctx.self, { load: 1 });
         registry.register('the peer', ctx.whereis('peer'), 'also known as');
         say(registry.size - before);
         const [{ mailbox, value }] = registry.lookup('me');
         say([mailbox === ctx.self, value, registry.lookup('nobody'), registry.namesOf(ctx.whereis('peer')), registry.namesOf(vigil.inbox())]);
         registry.update('me', ctx.self, { load: 2 });
         const dispatched = [];
         registry.dispatch('me', (entries) => dispatched.push(...entries.map(({ value }) => value)));
         registry.dispatch('nobody', () => dispatched.push('never'));
         say([dispatched, registry.snapshot().get('small').capacity]);
         say([
           code(() => registry.update('the peer', ctx.self, 1)),
           code(() => registry.register('me', ctx.self)),
           code(() => registry.register('', ctx.self)),
           code(() => registry.register('mine', vigil.inbox())),
           code(() => registry.register('bad', ctx.self, () => 1)),
           code(() => registry.register('bad', ctx.self, { to: ctx.self })),
           code(() => registry.listen(() => {})),
           await codeOf(registry.lock('x', () => 1)),
         ]);
         say([registry.release('the peer', ctx.self), registry.unregister('the peer'), registry.unregister('the peer'), registry.whereis('the peer')]);
         await ctx.stopped;`,
      );
      await post.heardThat(2);
      await post.heardThat([true, { load: 1 }, [], ['peer', 'the peer'], []]);
      await post.heardThat([[{ load: 2 }], 2]);
      await post.heardThat([
        'NotRegistered',
        'AlreadyRegistered',
        'InvalidConfiguration',
        'InvalidConfiguration',
        'InvalidMessage',
        'InvalidMessage',
        'InvalidState',
        'InvalidState',
      ]);
      await post.heardThat([false, true, false, undefined]);
    });

    it('cannot be looked up with a value that does not travel, which harms nobody', async () => {
      const { post, ref } = await start(
        `await heard();
         say(code(() => vigil.defaultRuntime().registry.lookup('odd')));
         say(ctx.whereis('odd') !== undefined);
         await ctx.stopped;`,
      );
      const odd = mailbox(post, 'odd');
      post.runtime.registry.register('odd', odd, () => 1);
      ref.send('go');
      await post.heardThat('InvalidMessage');
      await post.heardThat(true);
    });

    it('can be used while the module is imported', async () => {
      const { post } = await start(
        'say(early); await ctx.stopped;',
        `const early = await vigil.via('observer').sendWait('early');
         vigil.defaultRuntime().registry.whereis('small').send('early');`,
      );
      await post.heardThat('early');
      await post.heardThat('queued');
      assert.equal(post.small.stats().depth, 1);
    });

    it('are refused to what lives only there, but for a runtime of its own', async () => {
      const { post } = await start(
        `const child = (name) => (context) => {
           say(code(() => context.register(name)));
           return context.stopped;
         };
         const shared = vigil.supervisor().child('a', child('local')).build();
         await shared.start();
         const own = vigil.runtime();
         const local = own.supervisor().child('b', child('local')).build();
         await local.start();
         say([own.registry.whereis('local')?.id, ctx.whereis('local')]);
         await shared.stop();
         await local.stop();
         say('through');
         await ctx.stopped;`,
      );
      await post.heardThat('InvalidConfiguration');
      await post.heardThat(undefined);
      await post.heardThat(['b', undefined]);
      await post.heardThat('through');
    });

    it('and topics of one process are the same from here, from there and from another one there, as long as it lives', async () => {
      const { post, ref } = await start(
        `ctx.register('mine', 5);
         new vigil.Subscriber(ctx.self).subscribe('news');
         const { registry } = vigil.defaultRuntime();
         say([ctx.whereis('mine') === ctx.self, registry.lookup('mine')[0].mailbox === ctx.self, registry.namesOf(ctx.self)]);
         for await (const { payload } of ctx.inbox) say(payload);`,
      );
      await post.heardThat([true, true, ['mine']]);
      const { registry, pubsub } = post.runtime;
      assert.deepEqual([registry.whereis('mine') === ref, registry.lookup('mine')[0]?.mailbox === ref], [true, true]);
      assert.deepEqual([registry.namesOf(ref), pubsub.receiversOf('news')[0] === ref], [['mine'], true]);

      const other = moduleOf(`
        const it = ctx.whereis('mine');
        say([it.id, it.incarnation, it.isAlive(), vigil.defaultRuntime().registry.namesOf(it)]);
        await it.sendWait('from another one there');
        vigil.publish('news', 'published there');
        const { down } = ctx.monitor(it);
        say('another one watches');
        const { ref, reason } = await down;
        say([ref === it, reason.kind, it.isAlive(), ctx.whereis('mine'), vigil.publish('news', 'to nobody')]);
      `);
      await post.supervisor.startChild({ id: 'other', startFn: runnerOf(other), restartType: 'temporary' });
      await post.heardThat([ref.id, ref.incarnation, true, ['mine']]);
      const said = await post.heardAll(3);
      // Two processes say this.
      assert.deepEqual(said.map(String).toSorted(), ['another one watches', 'from another one there', 'published there']);
      assert.deepEqual(pubsub.publish('news', 'published here'), { delivered: 1, failed: 0 });
      await post.heardThat('published here');
      await post.supervisor.terminateChild('envoy');
      await post.heardThat([true, 'shutdown', false, undefined, { delivered: 0, failed: 0 }]);
      assert.deepEqual([registry.whereis('mine'), registry.namesOf(ref), pubsub.receiversOf('news')], [undefined, [], []]);
    });

    it('are told to a process two boundaries away', async () => {
      const { post, ref } = await start(
        `const inner = new URL('data:text/javascript,' + encodeURIComponent(\`
           export default async (ctx) => {
             ctx.whereis('observer').send(ctx.whereis('peer') !== undefined);
             for await (const message of ctx.inbox) ctx.whereis('observer').send(ctx.whereis('peer'));
           };\`));
         const nested = vigil.supervisor().child('inner', vigil.${kind}(inner)).build();
         await nested.start();
         await heard();
         nested.address('inner').send('go');
         await ctx.stopped;
         await nested.stop();`,
      );
      await post.heardThat(true);
      await post.supervisor.terminateChild('peer');
      ref.send('go');
      await post.heardThat(undefined);
    });
  });
}

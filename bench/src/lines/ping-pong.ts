import { dispatch, spawn, start, stop } from 'nact';
import { type Inbox, inbox } from 'vigiljs';
import { type Line, timed } from '../line.js';

/** Two sides that each wait for the other's message: every message wakes a waiting receiver. */
export const pingPong: Line = {
  name: 'ping-pong',
  item: 'message',
  unit: 'ns',
  count: 500_000,
  contestants: [
    { name: 'Vigil: two inboxes', measure: vigil },
    { name: 'nact: two actors', measure: nact },
    { name: 'Erlang: two processes', erlang: 'ping_pong' },
  ],
};

async function vigil(count: number) {
  using left = inbox<number>();
  using right = inbox<number>();
  return await timed(async () => {
    left.send(1);
    const handled = await Promise.all([answer(left, right, count), answer(right, left, count)]);
    return handled[0] + handled[1];
  });
}

/** Answers until message number `count` was handled. Each side handles every other message. */
async function answer(own: Inbox<number>, other: Inbox<number>, count: number): Promise<number> {
  let handled = 0;
  while (handled < count / 2) {
    const { payload } = await own.recv();
    handled += 1;
    if (payload < count) other.send(payload + 1);
  }
  return handled;
}

async function nact(count: number) {
  const system = start();
  let handled = 0;
  const measurement = await timed(async () => {
    await new Promise<void>((resolve) => {
      const hit = (turn: number, answerWith: (turn: number) => void) => {
        handled += 1;
        if (turn === count) resolve();
        else answerWith(turn + 1);
      };
      const right = spawn(system, (_state: undefined, turn: number): void => hit(turn, (next) => dispatch(left, next)));
      const left = spawn(system, (_state: undefined, turn: number): void => hit(turn, (next) => dispatch(right, next)));
      dispatch(left, 1);
    });
    return handled;
  });
  stop(system);
  return measurement;
}

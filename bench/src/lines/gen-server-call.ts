import { dispatch, query, type Ref, spawn, start, stop } from 'nact';
import { genServer, type GenServer, startServer } from 'vigiljs';
import { type Line, type Measurement, timed } from '../line.js';

/** Calls that are on their way before the first reply is awaited. */
const WINDOW = 500;

type Add = (n: number, count: number) => { readonly reply: number; readonly state: number };

const counter: GenServer<number, { readonly add: Add }, object> = genServer({
  init: (count: number) => count,
  call: { add: (n: number, count: number) => ({ reply: count + n, state: count + n }) },
});

/** Every call waits for its reply: what a caller sees who has nothing else to do. */
export const genServerCall: Line = {
  name: 'gen server call, one at a time',
  item: 'call',
  unit: 'ns',
  count: 500_000,
  contestants: [
    { name: 'Vigil: await server.call.add(1)', measure: (count) => vigil(count, 1) },
    { name: 'nact: await query', measure: (count) => nact(count, 1) },
    { name: 'Erlang: gen_server:call', erlang: 'gen_server_call' },
  ],
};

/** Five hundred calls are sent, then their replies are awaited. */
export const genServerCallPipelined: Line = {
  name: 'gen server call, pipelined',
  item: 'call',
  unit: 'ns',
  count: 500_000,
  contestants: [
    { name: 'Vigil: server.call.add(1)', measure: (count) => vigil(count, WINDOW) },
    { name: 'nact: query', measure: (count) => nact(count, WINDOW) },
    { name: 'Erlang: gen_server:send_request', erlang: 'gen_server_pipelined' },
  ],
};

async function vigil(count: number, window: number): Promise<Measurement> {
  const server = await startServer(counter, { args: 0 });
  const measurement = await timed(() => lastReply(count, window, () => server.call.add(1)));
  await server.stop();
  return measurement;
}

async function nact(count: number, window: number): Promise<Measurement> {
  const system = start();
  const actor = spawn(
    system,
    // oxlint-disable-next-line typescript/no-generated-empty-object-type -- nact's refs carry a type and nothing else
    (state: number, message: { readonly sender: Ref<number> }) => {
      dispatch(message.sender, state + 1);
      return state + 1;
    },
    'counter',
    { initialState: 0 },
  );
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- nact's refs carry a type and nothing else
  const ask = () => query(actor, (sender: Ref<number>) => ({ sender }), 5000);
  const measurement = await timed(() => lastReply(count, window, ask));
  stop(system);
  return measurement;
}

/** The reply to the last call is how many the server has handled. */
async function lastReply(count: number, window: number, call: () => Promise<number>): Promise<number> {
  let last = 0;
  for (let sent = 0; sent < count; sent += window) {
    // Those before it are answered first.
    for (let index = 1; index < window; index += 1) void call();
    last = await call();
  }
  return last;
}

import assert from 'node:assert/strict';
import { after } from 'node:test';
import { type Environment, nextTurn } from '../../core/index.js';
import { describeRunner } from '../runner.suite.js';
import type { ProcessHost, Runner } from '../runner.js';
import type { Script } from '../scripts.suite.js';
import type { RunnerHarness } from '../workbench.suite.js';
import type { CommandOptions } from './command-options.js';
import { CommandRunner } from './command-runner.js';
import { descendants } from '../os/programs.suite.js';

/** What a program can neither throw, nor refuse, nor name. */
const CANNOT = [
  'crashes',
  'throws_text',
  'exits_with_info',
  'meets_foreign_abort',
  'meets_foreign_close',
  'waits_in_vain',
  'throws_signal_reason',
  'crashes_when_stopped',
  'declines',
  'stops_itself',
  'kills_itself',
  'has_name',
] as const;

type Able = Exclude<Script, (typeof CANNOT)[number]>;

const NEVER_SAID = 'a line that nobody writes';

/** Reads its messages to the end of its input; the signal that asks it to stop changes nothing. */
const readsToTheEnd = { stdin: 'lines', stopSignal: 'SIGCONT' } as const;

const programs: Record<Able, CommandRunner> = {
  tells_who_it_is: shell('echo "$VIGIL_CHILD_ID#$VIGIL_INCARNATION $VIGIL_ARGS"'),
  returns: shell(':', { readyWhen: NEVER_SAID }),
  exits_normally: shell(':'),
  // It leaves its messages unread: who does not want them closes his input.
  waits_for_stop: shell('exec 0<&-; echo entered; exec sleep 1000', { stdin: 'lines' }),
  ignores_stop: shell('trap "" TERM; echo entered; while :; do sleep 1000; done', { stdin: 'lines', readyWhen: NEVER_SAID }),
  handles_messages: shell('echo entered; while read -r line; do echo "heard $line"; done', readsToTheEnd),
  becomes_ready: shell('echo entered; read -r line; echo ready; echo ready; exec sleep 1000', { stdin: 'lines', readyWhen: /^ready$/g }),
};

function isAble(script: Script): script is Able {
  return Object.hasOwn(programs, script);
}

function shell(code: string, options?: CommandOptions): CommandRunner {
  return new CommandRunner('sh', ['-c', code], options);
}

/** What the programs write to standard output is what they say to the observer. */
function commandHarness(): RunnerHarness {
  return {
    runner: (script) => {
      assert.ok(isAble(script));
      return listening(programs[script]);
    },
    letGo: () => {},
    quiet: async () => {
      // Nothing can come of a program that is gone, but for what is already on its way through this event loop.
      for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    },
  };
}

function listening(runner: CommandRunner): Runner {
  return { kind: 'command', create: (settings, incarnation, host) => runner.create(settings, incarnation, withEars(host)) };
}

function withEars(host: ProcessHost): ProcessHost {
  const { environment } = host;
  const info = (message: string) => environment.names.whereis('observer')?.send(message.slice(message.indexOf('): ') + 3));
  const listeningEnvironment: Environment = { ...environment, log: { ...environment.log, info } };
  return {
    environment: listeningEnvironment,
    path: host.path,
    processReady: (process) => host.processReady(process),
    processNotified: (process, signal) => host.processNotified(process, signal),
    processIgnored: (process) => host.processIgnored(process),
    processExited: (process, reason) => host.processExited(process, reason),
  };
}

after(() => assert.deepEqual(descendants(), []));

describeRunner('command', commandHarness, CANNOT);

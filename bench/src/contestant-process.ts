import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Contestant, Line, Measurement } from './line.js';

const CONTESTANT_PROGRAM = fileURLToPath(new URL('./contestant.js', import.meta.url));

/** Room for a million tasks of every contestant. */
const NODE_OPTIONS = ['--expose-gc', '--max-old-space-size=8192'];

/** `-S` is left alone: Erlang has as many schedulers as there are cores. `+P` allows a million processes. */
const ERLANG_OPTIONS = ['+P', '2000000', '-noshell'];

/**
 * A contestant in a process of its own, so that nobody's garbage or type feedback is another one's cost.
 *
 * It is asked by a line with the number of items, and answers with a line of JSON, a {@link Measurement}.
 */
export class ContestantProcess {
  readonly #name: string;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: Interface;
  readonly #ended: Promise<never>;

  /** @param erlangFolder - where the compiled Erlang contestants are. */
  constructor(line: Line, contestant: Contestant, erlangFolder: string | undefined) {
    this.#name = `${contestant.name} in "${line.name}"`;
    this.#process =
      'erlang' in contestant
        ? spawn('erl', [...ERLANG_OPTIONS, '-pa', erlangFolder ?? '.', '-s', 'vigil_bench', 'start', contestant.erlang])
        : spawn(process.execPath, [...NODE_OPTIONS, CONTESTANT_PROGRAM, line.name, contestant.name]);
    this.#process.stderr.pipe(process.stderr);
    this.#answers = createInterface({ input: this.#process.stdout });
    this.#ended = new Promise((_, reject) => {
      this.#process.once('error', reject);
      this.#process.once('exit', (code, signal) => reject(new Error(`${this.#name} ended (${signal ?? code})`)));
    });
    // It ends after the last round, too, when nobody is waiting any more.
    this.#ended.catch(() => {});
  }

  /** Has one round done. @throws when the contestant did not handle exactly `count` items. */
  async measure(count: number): Promise<Measurement> {
    const answer = new Promise<string>((resolve) => this.#answers.once('line', resolve));
    this.#process.stdin.write(`${count}\n`);
    const measurement = parseMeasurement(await Promise.race([answer, this.#ended]));
    if (measurement.handled !== count) throw new Error(`${this.#name} handled ${measurement.handled} of ${count}`);
    return measurement;
  }

  async close(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended.catch(() => {});
  }
}

function parseMeasurement(line: string): Measurement {
  const value: unknown = JSON.parse(line);
  if (!isMeasurement(value)) throw new Error(`not a measurement: ${line}`);
  return value;
}

function isMeasurement(value: unknown): value is Measurement {
  if (typeof value !== 'object' || value === null) return false;
  return 'handled' in value && typeof value.handled === 'number' && 'total' in value && typeof value.total === 'number';
}

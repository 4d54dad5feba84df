/** Compares Vigil with its peers: `npm run bench -- [--only PATTERN] [--rounds N] [--quick] [--json FILE]`. */
import { rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { compileErlang } from './erlang.js';
import { lines } from './lines/index.js';
import { formatLine, perItemOf } from './report.js';
import { type LineResult, runLine } from './rounds.js';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const rounds = Number(flags.rounds ?? (flags.quick ? 3 : 9));
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds must be an integer >= 1, got ${flags.rounds}`);
const chosen = lines.filter(({ name }) => new RegExp(flags.only, 'i').test(name));
if (chosen.length === 0) throw new Error(`--only ${flags.only} matches none of: ${lines.map(({ name }) => name).join(', ')}`);

const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}`;
console.log(`${machine}, load ${loadavg()[0]?.toFixed(1)}\n`);
const erlangFolder = compileErlang();
if (erlangFolder === undefined) console.log('Erlang is not on this machine: its contestants are left out.\n');

const results: LineResult[] = [];
try {
  for (const line of chosen) {
    const result = await runLine(line, { rounds, quick: flags.quick, erlangFolder });
    console.log(formatLine(result));
    results.push(result);
  }
} finally {
  if (erlangFolder !== undefined) rmSync(erlangFolder, { recursive: true });
}
if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(toJson(results), undefined, 2)}\n`);

function toJson(measured: readonly LineResult[]): unknown {
  return {
    machine,
    date: new Date().toISOString(),
    lines: measured.map(({ line, count, scores }) => ({
      name: line.name,
      unit: line.unit,
      count,
      scores: scores.map((score) => ({ contestant: score.contestant.name, perItem: perItemOf(score), rounds: score.rounds })),
    })),
  };
}

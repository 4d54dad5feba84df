import type { Unit } from './line.js';
import type { LineResult, Score } from './rounds.js';
import { ratiosTo, type Spread, spreadOf } from './statistics.js';
import { formatTable } from './table.js';

/** A line as a table: how Vigil compares first, absolute figures after that. */
export function formatLine({ line, count, scores }: LineResult): string {
  const [vigil] = scores;
  const title = `### ${line.name}: ${count.toLocaleString('en')} a round, ${vigil?.rounds.length ?? 0} rounds`;
  const rows = scores.map((score) => {
    const perItem = spreadOf(perItemOf(score));
    return [
      score.contestant.name,
      vigil === undefined ? '' : formatComparison(vigil, score, line.unit),
      `${formatAmount(perItem.median, line.unit)} (${formatAmount(perItem.min, line.unit)} – ${formatAmount(perItem.max, line.unit)})`,
      line.unit === 'ns' ? formatRate(perItem.median) : formatResident(score),
    ];
  });
  const header = ['', 'Vigil is (least – most)', `one ${line.item} (least – most)`, line.unit === 'ns' ? 'per second' : 'resident'];
  return `${title}\n\n${formatTable(header, rows)}\n`;
}

function formatComparison(vigil: Score, score: Score, unit: Unit): string {
  if (score === vigil || score.contestant.isVariant === true) return '';
  return formatRatio(spreadOf(ratiosTo(perItemOf(vigil), perItemOf(score))), unit);
}

export function perItemOf(score: Score): number[] {
  return score.rounds.map(({ handled, total }) => total / handled);
}

const BETTER: Record<Unit, readonly [better: string, worse: string]> = { ns: ['faster', 'slower'], bytes: ['smaller', 'larger'] };

/** Says how many times better we are, and how many times worse where a peer is ahead. */
export function formatRatio({ median, min, max }: Spread, unit: Unit): string {
  const [better, worse] = BETTER[unit];
  if (median >= 1) return `${short(median)}× ${better} (${short(min)} – ${short(max)})`;
  return `**${short(1 / median)}× ${worse}** (${short(1 / max)} – ${short(1 / min)})`;
}

export function formatAmount(amount: number, unit: Unit): string {
  if (unit === 'bytes') return `${Math.round(amount).toLocaleString('en')} B`;
  return amount < 1000 ? `${short(amount)} ns` : `${short(amount / 1000)} µs`;
}

function formatRate(nanoseconds: number): string {
  const perSecond = 1e9 / nanoseconds;
  return perSecond >= 1e6 ? `${short(perSecond / 1e6)} M` : `${short(perSecond / 1e3)} k`;
}

function formatResident({ rounds }: Score): string {
  const perItem = rounds.flatMap(({ residentBytes, handled }) => (residentBytes === undefined ? [] : [residentBytes / handled]));
  return perItem.length === 0 ? '' : formatAmount(spreadOf(perItem).median, 'bytes');
}

/** Three figures at most: more than that nobody can repeat. */
function short(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(value >= 10 ? 3 : 2);
}

import type { Unit } from './line.js';
import type { LineResult, Score } from './rounds.js';
import { ratiosTo, type Spread, spreadOf } from './statistics.js';
import { formatTable } from './table.js';

/** A line as a table: how Vigil compares first, absolute figures after that. */
export function formatLine({ line, count, scores }: LineResult): string {
  const [vigil] = scores;
  const heading = `### ${line.name}: ${count.toLocaleString('en')} a round, ${vigil?.rounds.length ?? 0} rounds`;
  const rows = scores.map((score) => {
    const perItem = spreadOf(perItemOf(score));
    return [
      score.contestant.name,
      vigil === undefined ? '' : formatComparison(vigil, score, line.unit),
      `${formatAmount(perItem.median, line.unit)} (${formatAmount(perItem.min, line.unit)} – ${formatAmount(perItem.max, line.unit)})`,
      ...LAST_COLUMN[line.unit].map(({ format }) => format(score)),
    ];
  });
  const header = ['', 'Vigil is (least – most)', `one ${line.item} (least – most)`, ...LAST_COLUMN[line.unit].map(({ title }) => title)];
  return `${heading}\n\n${formatTable(header, rows)}\n`;
}

function formatComparison(vigil: Score, score: Score, unit: Unit): string {
  if (score === vigil || score.contestant.isVariant === true) return '';
  return formatRatio(spreadOf(ratiosTo(perItemOf(vigil), perItemOf(score))), unit);
}

export function perItemOf(score: Score): number[] {
  return score.rounds.map(({ handled, total }) => total / handled);
}

/** What else is worth knowing, if anything. */
const LAST_COLUMN: Record<Unit, readonly { readonly title: string; readonly format: (score: Score) => string }[]> = {
  ns: [{ title: 'per second', format: (score) => formatRate(spreadOf(perItemOf(score)).median) }],
  bytes: [{ title: 'resident', format: formatResident }],
  core: [],
};

const BETTER: Record<Unit, readonly [better: string, worse: string]> = {
  ns: ['faster', 'slower'],
  bytes: ['smaller', 'larger'],
  core: ['cheaper', 'dearer'],
};

/** Says how many times better we are, and how many times worse where a peer is ahead. */
export function formatRatio({ median, min, max }: Spread, unit: Unit): string {
  const [better, worse] = BETTER[unit];
  if (median >= 1) return `${short(median)}× ${better} (${short(min)} – ${short(max)})`;
  return `**${short(1 / median)}× ${worse}** (${short(1 / max)} – ${short(1 / min)})`;
}

export function formatAmount(amount: number, unit: Unit): string {
  switch (unit) {
    case 'bytes':
      return `${Math.round(amount).toLocaleString('en')} B`;
    case 'core':
      return `${(amount * 100).toFixed(2)} %`;
    case 'ns':
      if (amount >= 1e6) return `${short(amount / 1e6)} ms`;
      return amount < 1000 ? `${short(amount)} ns` : `${short(amount / 1000)} µs`;
  }
}

function formatRate(nanoseconds: number): string {
  const perSecond = 1e9 / nanoseconds;
  if (perSecond >= 1e6) return `${short(perSecond / 1e6)} M`;
  return perSecond >= 1e3 ? `${short(perSecond / 1e3)} k` : short(perSecond);
}

function formatResident({ rounds }: Score): string {
  const perItem = rounds.flatMap(({ residentBytes, handled }) => (residentBytes === undefined ? [] : [residentBytes / handled]));
  return perItem.length === 0 ? '' : formatAmount(spreadOf(perItem).median, 'bytes');
}

/** Three figures at most: more than that nobody can repeat. All three between 1 and 2, where a ratio says whether there is a difference. */
function short(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toPrecision(value >= 10 || (value >= 1 && value < 2) ? 3 : 2);
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Line } from './line.js';
import { formatAmount, formatLine, formatRatio } from './report.js';

describe('formatRatio', () => {
  it('says how many times faster Vigil is', () => {
    assert.equal(formatRatio({ median: 4, min: 2.5, max: 12 }, 'ns'), '4.0× faster (2.5 – 12.0)');
  });

  it('turns the ratio round and stands out where a peer is ahead', () => {
    assert.equal(formatRatio({ median: 0.5, min: 0.25, max: 0.8 }, 'bytes'), '**2.0× larger** (1.25 – 4.0)');
  });
});

describe('formatAmount', () => {
  it('chooses a unit that people read', () => {
    assert.deepEqual(
      [formatAmount(87.4, 'ns'), formatAmount(12_345, 'ns'), formatAmount(2_345_678, 'ns'), formatAmount(2048.3, 'bytes')],
      ['87.4 ns', '12.3 µs', '2.3 ms', '2,048 B'],
    );
  });
});

describe('formatAmount of a share of a core', () => {
  it('says per cent', () => assert.equal(formatAmount(0.00321, 'core'), '0.32 %'));
});

describe('formatLine', () => {
  it('rates what is slow in whole items', () => {
    const line: Line = { name: 'work', item: 'restart', unit: 'ns', count: 1, contestants: [] };
    const scores = [{ contestant: { name: 'Vigil', erlang: '' }, rounds: [{ handled: 1, total: 5e7 }] }];
    assert.match(formatLine({ line, count: 1, scores }), /\| 50\.0 ms \(50\.0 ms – 50\.0 ms\) +\| 20\.0 +\|/);
  });

  it('puts the ratio to Vigil first and figures per item after it', () => {
    const line: Line = { name: 'work', item: 'message', unit: 'ns', count: 10, contestants: [] };
    const erlang = '';
    const scores = [
      { contestant: { name: 'Vigil', erlang }, rounds: [{ handled: 10, total: 1000 }] },
      { contestant: { name: 'peer', erlang }, rounds: [{ handled: 10, total: 5000 }] },
    ];
    assert.deepEqual(formatLine({ line, count: 10, scores }).trimEnd().split('\n'), [
      '### work: 10 a round, 1 rounds',
      '',
      '|       | Vigil is (least – most) | one message (least – most) | per second |',
      '|-------|-------------------------|----------------------------|------------|',
      '| Vigil |                         | 100 ns (100 ns – 100 ns)   | 10.0 M     |',
      '| peer  | 5.0× faster (5.0 – 5.0) | 500 ns (500 ns – 500 ns)   | 2.0 M      |',
    ]);
  });
});

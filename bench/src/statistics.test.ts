import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ratiosTo, rotated, spreadOf } from './statistics.js';

describe('spreadOf', () => {
  it('takes the middle value of an odd number of values, whatever their order', () => {
    assert.deepEqual(spreadOf([30, 2, 100]), { median: 30, min: 2, max: 100 });
  });

  it('takes the mean of the two middle values of an even number', () => {
    assert.deepEqual(spreadOf([4, 1, 100, 2]), { median: 3, min: 1, max: 100 });
  });
});

describe('ratiosTo', () => {
  it('divides figures of the same round: above 1 the peer took more', () => {
    assert.deepEqual(ratiosTo([10, 20], [30, 10]), [3, 0.5]);
  });
});

describe('rotated', () => {
  it('begins the list at another place each round', () => {
    const list = ['a', 'b', 'c'];
    assert.deepEqual(
      [0, 1, 2, 3].map((round) => rotated(list, round).join('')),
      ['abc', 'bca', 'cab', 'abc'],
    );
  });
});

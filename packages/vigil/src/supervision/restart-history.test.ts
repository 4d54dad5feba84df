import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NORMAL } from '../core/index.js';
import { type RestartEvent, RestartHistory } from './restart-history.js';

const event = (index: number): RestartEvent => ({ id: `c${index}`, timestampMs: index, reason: NORMAL, trigger: 'exit' });

function historyOf(count: number): RestartHistory {
  const history = new RestartHistory();
  for (let index = 0; index < count; index += 1) history.add(event(index));
  return history;
}

describe('RestartHistory', () => {
  it('INSP-04: lists restarts oldest first', () => {
    assert.deepEqual(historyOf(3).list(), [event(0), event(1), event(2)]);
  });

  it('INSP-04: keeps the last hundred and counts them all', () => {
    const history = historyOf(250);
    assert.deepEqual(
      history.list(),
      Array.from({ length: 100 }, (_, index) => event(150 + index)),
    );
    assert.equal(history.total, 250);
  });

  it('hands out a copy', () => {
    const history = historyOf(2);
    history.list().pop();
    assert.equal(history.list().length, 2);
  });
});

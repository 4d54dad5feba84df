import { runtime } from 'vigiljs';
import { type Line, type Measurement, timed } from '../line.js';

const CHILDREN = 10_000;
const CHILDREN_OF_ONE = 100;

/** A look at a whole runtime, in nanoseconds for each of its children. */
export const snapshot: Line = {
  name: `snapshot of ${CHILDREN} children`,
  item: 'child',
  unit: 'ns',
  count: 10 * CHILDREN,
  contestants: [
    { name: 'Vigil: runtime.snapshot()', measure: (count) => looked(count, (of) => of.snapshot().supervisors[0]?.childCount) },
    { name: 'Vigil: runtime.health()', isVariant: true, measure: (count) => looked(count, (of) => of.health().reasons.length) },
    { name: 'structuredClone of that snapshot', measure: cloned },
  ],
};

async function looked(count: number, look: (of: ReturnType<typeof runtime>) => unknown): Promise<Measurement> {
  return withTree((of) =>
    timed(() => {
      for (let children = 0; children < count; children += CHILDREN) look(of);
      return count;
    }),
  );
}

/** What a copy costs that somebody makes who has all the figures already. */
async function cloned(count: number): Promise<Measurement> {
  return withTree((of) => {
    const { mailboxes } = of.snapshot();
    return timed(() => {
      for (let children = 0; children < count; children += CHILDREN) structuredClone(mailboxes);
      return count;
    });
  });
}

async function withTree(measure: (of: ReturnType<typeof runtime>) => Promise<Measurement>): Promise<Measurement> {
  const of = runtime();
  const root = of.supervisor().name('root');
  for (let group = 0; group < CHILDREN / CHILDREN_OF_ONE; group += 1) {
    const inner = of.supervisor();
    for (let child = 0; child < CHILDREN_OF_ONE; child += 1) {
      inner.child(`child_${child}`, async ({ inbox }) => {
        for await (const _ of inbox);
      });
    }
    root.child(`group_${group}`, inner.build());
  }
  await using supervisor = root.build();
  await supervisor.start();
  return await measure(of);
}

import { Qlobber } from 'qlobber';
import { type Runtime, runtime, Subscriber } from 'vigiljs';
import { type Line, type Measurement, timed } from '../line.js';

const PATTERNS = 10_000;
const UNRELATED = 100_000;
const TOPICS = Array.from({ length: 1_000 }, (_, index) => `site${index}.floor${index % 10}.sensor${index % 7}.temperature`);

/** Who wants a topic, among ten thousand patterns with wildcards, of which two match. */
export const topicMatch: Line = {
  name: 'topic match over 10,000 patterns',
  item: 'topic',
  unit: 'ns',
  count: 500_000,
  contestants: [
    { name: 'Vigil: broker.receiversOf', measure: vigil },
    { name: 'qlobber: match', measure: qlobber },
  ],
};

/**
 * What those who want something else cost a publish. They are there in both cases, since a garbage collector has more to do beside so many
 * objects, whoever's they are.
 */
export const publishUnrelated: Line = {
  name: 'publish beside subscriptions that do not match',
  item: 'publish',
  unit: 'ns',
  count: 500_000,
  contestants: [
    { name: 'Vigil: 100,000 with another broker', measure: async (count) => published(count, runtime(), runtime()) },
    { name: 'Vigil: 100,000 with the same broker', isVariant: true, measure: async (count) => published(count, runtime()) },
  ],
};

/** Two for each of five thousand sites. */
function patternOf(index: number): string {
  const site = `site${Math.floor(index / 2)}`;
  return index % 2 === 0 ? `${site}.*.*.temperature` : `${site}.#`;
}

async function vigil(count: number): Promise<Measurement> {
  const topics = runtime();
  for (let index = 0; index < PATTERNS; index += 1) subscribe(topics, patternOf(index));
  return matched(count, (topic) => topics.pubsub.receiversOf(topic).length);
}

async function qlobber(count: number): Promise<Measurement> {
  const matcher = new Qlobber<number>();
  for (let index = 0; index < PATTERNS; index += 1) matcher.add(patternOf(index), index);
  return matched(count, (topic) => matcher.match(topic).length);
}

/** @param elsewhere - with whose broker those are who want something else. */
async function published(count: number, topics: Runtime, elsewhere = topics): Promise<Measurement> {
  const inbox = topics.inbox();
  new Subscriber(inbox, topics).subscribe('orders.*');
  for (let index = 0; index < UNRELATED; index += 1) subscribe(elsewhere, patternOf(index));
  return timed(() => {
    let handled = 0;
    for (let index = 0; index < count; index += 1) {
      topics.publish('orders.created', index);
      if (inbox.tryRecv() !== undefined) handled += 1;
    }
    // Nobody else of them ends before the time is taken.
    if (elsewhere.pubsub.stats().subscribers < UNRELATED) throw new Error('subscriptions have gone');
    return handled;
  });
}

function subscribe(topics: Runtime, pattern: string): void {
  new Subscriber(topics.inbox(), topics).subscribe(pattern);
}

/** Counts the topics for which both patterns were found. */
async function matched(count: number, match: (topic: string) => number): Promise<Measurement> {
  return timed(() => {
    let handled = 0;
    for (let index = 0; index < count; index += 1) if (match(TOPICS[index % TOPICS.length] ?? '') === 2) handled += 1;
    return handled;
  });
}

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

/** What those who want something else cost a publish. */
export const publishUnrelated: Line = {
  name: 'publish beside subscriptions that do not match',
  item: 'publish',
  unit: 'ns',
  count: 500_000,
  contestants: [
    { name: 'Vigil: beside none', measure: async (count) => published(count, 0) },
    { name: 'Vigil: beside 100,000', isVariant: true, measure: async (count) => published(count, UNRELATED) },
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

async function published(count: number, unrelated: number): Promise<Measurement> {
  const topics = runtime();
  const inbox = topics.inbox();
  new Subscriber(inbox, topics).subscribe('orders.*');
  for (let index = 0; index < unrelated; index += 1) subscribe(topics, patternOf(index));
  return timed(() => {
    let handled = 0;
    for (let index = 0; index < count; index += 1) {
      topics.publish('orders.created', index);
      if (inbox.tryRecv() !== undefined) handled += 1;
    }
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

import { checkName, invalidOption } from '../core/index.js';

/** What stands between the levels of a topic, such as those of `events.user.created`. */
export const LEVEL_SEPARATOR = '.';
/** In a pattern: exactly one level, whichever it is. */
export const ANY_LEVEL = '*';
/** At the end of a pattern: all levels that follow, none included. */
export const ALL_LEVELS = '#';

const TOPIC = /^[^.*#]+(?:\.[^.*#]+)*$/;
const EXPECTED_TOPIC = 'levels with dots between them, none of them empty or with a * or #';
const EXPECTED_PATTERN = 'levels with dots between them, none of them empty, with * only as a whole level and # only as the whole last one';

/**
 * Refuses what cannot be the topic of a message: a pattern, for example, since a publisher that names one means many topics.
 *
 * @throws {VigilError} `InvalidConfiguration`.
 */
export function checkTopic(topic: unknown): string {
  if (typeof topic !== 'string' || !TOPIC.test(topic)) throw invalidOption('topic', EXPECTED_TOPIC, topic);
  return topic;
}

/**
 * The patterns, one or several, each once.
 *
 * @throws {VigilError} `InvalidConfiguration` when one of them could never match as it is meant.
 */
export function checkPatterns(patterns: string | readonly string[]): Set<string> {
  const given = typeof patterns === 'string' ? [patterns] : patterns;
  if (!Array.isArray(given)) throw invalidOption('patterns', 'a pattern or an array of patterns', patterns);
  const checked = new Set<string>();
  for (const pattern of given) checked.add(checkPattern(pattern));
  return checked;
}

function checkPattern(pattern: unknown): string {
  const text = checkName('pattern', pattern);
  const levels = text.split(LEVEL_SEPARATOR);
  const isMeant = levels.every((level, index) => isPatternLevel(level, index === levels.length - 1));
  if (!isMeant) throw invalidOption('pattern', EXPECTED_PATTERN, pattern);
  return text;
}

function isPatternLevel(level: string, isLast: boolean): boolean {
  if (level === ALL_LEVELS) return isLast;
  return level === ANY_LEVEL || (level !== '' && !level.includes(ANY_LEVEL) && !level.includes(ALL_LEVELS));
}

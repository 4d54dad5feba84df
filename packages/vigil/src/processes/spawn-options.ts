import { type Check, checkCount, checkName, checkObject, invalidOption, optional } from '../core/index.js';

/** Environment variables, laid over those of this process; `undefined` removes one. */
export type EnvironmentOverlay = Readonly<Record<string, string | undefined>>;

const LARGEST_ID = 2 ** 31 - 1;

/** What the system takes: it ends its texts with a NUL. */
const checkText: Check<string> = (name, value) => {
  if (typeof value === 'string' && !value.includes('\0')) return value;
  throw invalidOption(name, 'a string without NUL characters', value);
};

export const checkTexts: Check<readonly string[]> = (name, value) => {
  if (!Array.isArray(value)) throw invalidOption(name, 'an array of strings', value);
  return Array.from<unknown, string>(value, (one, index) => checkText(`${name}[${index}]`, one));
};

export const checkPath: Check<string> = (name, value) => checkText(name, checkName(name, value));

/** A user or group, by number. */
export const checkId: Check<number> = (name, value) => {
  const id = checkCount(name, value);
  if (id <= LARGEST_ID) return id;
  throw invalidOption(name, `at most ${LARGEST_ID}`, value);
};

export const checkEnvironment: Check<EnvironmentOverlay> = (name, value) => {
  const variables: Record<string, string | undefined> = {};
  for (const [key, text] of Object.entries(checkObject(name, value))) {
    if (key === '' || key.includes('=') || key.includes('\0')) throw invalidOption(name, 'an object of environment variables', key);
    variables[key] = optional(checkText)(`${name}.${key}`, text);
  }
  return variables;
};

/** The module of a thread or fork, as its `href`. */
export const checkModule: Check<string> = (name, value) => {
  if (value instanceof URL) return value.href;
  if (typeof value === 'string' && URL.canParse(value)) return value;
  throw invalidOption(name, "a URL such as new URL('./module.js', import.meta.url)", value);
};

/** The whole environment of a child, as that of this process is now. */
export function environmentWith(overlay: EnvironmentOverlay): NodeJS.ProcessEnv {
  const variables = Object.entries({ ...process.env, ...overlay });
  return Object.fromEntries(variables.filter(([, text]) => text !== undefined));
}

// A module instead of .oxlintrc.json, because the import table of CONTRIBUTING.md is data here and the rules are made from it.
import { defineConfig } from 'oxlint';

const src = 'packages/vigil/src';

/** Which folders a folder may import. A new arrow is a design decision. */
const arrows = {
  core: [],
  processes: ['core'],
  resilience: ['core'],
  persistence: ['core'],
  supervision: ['core', 'processes'],
  messaging: ['core', 'processes'],
  cluster: ['core', 'messaging'],
  observability: ['core'],
  app: ['core', 'processes', 'resilience', 'persistence', 'supervision', 'messaging', 'cluster', 'observability'],
  testing: ['core', 'app'],
};
const folders = Object.keys(arrows);

/** Which folders it may import types from besides: what is looked at, and the contracts that are imitated. */
const typeArrows = {
  observability: ['processes', 'resilience', 'persistence', 'supervision', 'messaging', 'cluster'],
  testing: ['processes', 'resilience', 'persistence', 'supervision', 'messaging', 'cluster', 'observability'],
};

/** Where the library may touch what Node offers; nowhere else. A path is a folder of `src`, a sub-folder or a file. */
const doors = [
  { modules: ['worker_threads'], at: ['processes/thread'] },
  { modules: ['child_process'], at: ['processes/os'] },
  { modules: ['net'], at: ['processes/command'] },
  { modules: ['fs'], at: ['persistence', 'processes/os'] },
  { modules: ['diagnostics_channel'], at: ['observability', 'processes/thread/entry.ts'] },
  { modules: ['http', 'https', 'http2'], at: [] },
  {
    modules: ['timers', 'perf_hooks'],
    globals: ['setTimeout', 'setInterval', 'setImmediate', 'performance', 'Date'],
    properties: { process: ['hrtime'] },
    at: ['core/clock.ts'],
  },
  { properties: { Math: ['random'] }, at: ['core/random.ts'] },
  {
    modules: ['process'],
    properties: { process: ['on', 'once', 'addListener', 'prependListener', 'exit', 'exitCode', 'abort'] },
    // These three are the main program of a thread or a process of their own.
    at: ['app', 'processes/thread/entry.ts', 'processes/fork/entry.ts', 'processes/os/guard.ts'],
  },
];

/** A test may open every door, but not sleep. */
const sleeps = [{ modules: ['timers'], globals: ['setTimeout', 'setInterval'] }];

/** For every import of what is not the library. */
const insides = { regex: String.raw`^\.\.?/(.*/)?(src|dist)/`, message: 'Import `vigiljs`, as users do.' };

/** For every import of the library and of the tests beside its code. */
const paths = [
  { regex: String.raw`^(\./|(\.\./)+)index\.js$`, message: 'Files of one folder import each other directly, never through an index.' },
  { regex: String.raw`^\./\.\.?/|[^./]/\.\.?/`, message: 'Write the path without a detour.' },
];

/** Neither relative nor `node:`, spelled out because these expressions have no look-ahead. */
const packages = { regex: '^([^.n]|n[^o]|no[^d]|nod[^e]|node[^:])', message: 'The library has no runtime dependencies.' };

export default defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'promise', 'node'],
  options: { typeAware: true },
  env: { builtin: true, node: true },
  categories: { correctness: 'error', suspicious: 'error' },
  rules: {
    ...closed([], [insides]),
    eqeqeq: 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'import/no-cycle': ['error', { ignoreTypes: false }],
    // fast-check is used as `fc.property`, as its own documentation does.
    'import/no-named-as-default-member': 'off',
    'unicorn/prefer-node-protocol': 'error',
    // A ring is made at its full length at once.
    'unicorn/no-new-array': 'off',
    // For windows; a MessagePort has no origin.
    'unicorn/require-post-message-target-origin': 'off',
    'typescript/await-thenable': 'error',
    // The compiler's noImplicitReturns says the same and knows when a switch is exhaustive.
    'typescript/consistent-return': 'off',
    'typescript/consistent-type-exports': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-explicit-any': 'error',
    // `void` says that a promise cannot reject. What `node:test` returns is awaited by its runner.
    'typescript/no-floating-promises': [
      'error',
      { ignoreVoid: true, allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['describe', 'it', 'suite', 'test'] }] },
    ],
    'typescript/no-misused-promises': 'error',
    'typescript/no-non-null-assertion': 'error',
    // Spelling out what a payload is, even `unknown`, is not noise.
    'typescript/no-unnecessary-type-arguments': 'off',
    // What user code threw is passed on as it is, whatever it is.
    'typescript/only-throw-error': ['error', { allowThrowingUnknown: true }],
    'typescript/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: false }],
  },
  overrides: [
    {
      files: ['**/*.test.ts', '**/*.suite.ts'],
      rules: { 'unicorn/consistent-function-scoping': 'off', 'typescript/no-non-null-assertion': 'off', ...closed(sleeps, [insides]) },
    },
    { files: [`${src}/**/*.ts`], rules: closed([], [{ group: ['**'], message: 'This place is not in the import table.' }]) },
    {
      files: [`${src}/index.ts`],
      rules: closed(doors, [
        { group: ['**', ...exceptIndexesOf([...arrows.app, 'app'], './')], message: 'index.ts re-exports what folders list.' },
      ]),
    },
    ...folders.flatMap((folder) => [
      { files: [`${src}/${folder}/*.ts`], rules: closed(doorsShutIn(folder), importsOf(folder, '../')) },
      { files: [`${src}/${folder}/*/*.ts`], rules: closed(doorsShutIn(folder), importsOf(folder, '../../')) },
    ]),
    ...placesWithinFolders().map(rulesAt),
    // A suite is test code that several tests share.
    { files: [`${src}/*/*.{test,suite}.ts`], rules: closed(sleeps, importsOfTest('../')) },
    { files: [`${src}/*/*/*.{test,suite}.ts`], rules: closed(sleeps, importsOfTest('../../')) },
  ],
});

/** Outer places first, because the last override that matches a file wins. */
function placesWithinFolders() {
  const places = new Set(doors.flatMap((door) => door.at).filter((place) => place.includes('/')));
  return [...places].toSorted((one, other) => depthOf(one) - depthOf(other));
}

function rulesAt(place) {
  const [folder] = place.split('/');
  const isFile = place.endsWith('.ts');
  const up = '../'.repeat(depthOf(place) - (isFile ? 1 : 0));
  return { files: [isFile ? `${src}/${place}` : `${src}/${place}/*.ts`], rules: closed(doorsShutIn(place), importsOf(folder, up)) };
}

function depthOf(place) {
  return place.split('/').length;
}

function doorsShutIn(place) {
  return doors.filter((door) => !door.at.some((open) => place === open || place.startsWith(`${open}/`)));
}

function importsOf(folder, up) {
  const values = arrows[folder];
  const types = typeArrows[folder] ?? [];
  const typesOnly = {
    regex: String.raw`^${up}(${types.join('|')})/index\.js$`,
    allowTypeImports: true,
    message: `The import table lets ${folder} import only types from there.`,
  };
  return [
    packages,
    ...paths,
    ...(types.length > 0 ? [typesOnly] : []),
    { group: [`${up}**`, ...exceptIndexesOf([...values, ...types], up)], message: `The import table has no such arrow from ${folder}.` },
  ];
}

function importsOfTest(up) {
  return [
    ...paths,
    {
      group: [`${up}**`, ...exceptIndexesOf([...folders, 'testing/simulation'], up)],
      message: 'Other folders are imported through their index.js.',
    },
  ];
}

function exceptIndexesOf(names, up) {
  return names.map((name) => `!${up}${name}/index.js`);
}

/** The rules that keep these doors shut and these imports out. One override replaces another rule by rule, so each states them whole. */
function closed(shut, imports = []) {
  const modules = shut.flatMap((door) => door.modules ?? []);
  const globals = shut.flatMap((door) => door.globals ?? []);
  const properties = shut.flatMap((door) =>
    Object.entries(door.properties ?? {}).flatMap(([object, names]) => names.map((property) => ({ object, property }))),
  );
  const nodeModules = modules.map((name) => ({ regex: `^(node:)?${name}(/|$)`, message: 'This Node module has another door.' }));
  return {
    // A group that excepts a path ends the search, so groups stand last.
    'no-restricted-imports': ['error', { patterns: [...nodeModules, ...imports] }],
    'no-restricted-globals': globals.length > 0 ? ['error', { globals, checkGlobalObject: true }] : 'off',
    'no-restricted-properties': properties.length > 0 ? ['error', ...properties] : 'off',
  };
}

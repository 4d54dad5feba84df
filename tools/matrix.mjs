// Runs the same compiled tests on every line of Node that Vigil supports: the one that runs this, and those in the folders of `ci`,
// which npm installs when they are not there.
//
//     node tools/matrix.mjs [--all]
//
// By default the tests of processes and those that cross folders, which is where lines of Node differ; with --all every test.
import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

const { values: flags } = parseArgs({ options: { all: { type: 'boolean', default: false } } });

const folders = flags.all ? ['packages', 'examples', 'bench'] : ['packages/vigil/dist/processes', 'packages/vigil/dist-test'];
const files = folders.flatMap(testFilesIn);
if (files.length === 0) throw new Error(`there are no compiled tests in ${folders.join(', ')}: npm run build makes them`);

const nodes = [process.execPath];
for (const folder of readdirSync(join(root, 'ci')).toSorted()) nodes.push(await installedIn(join(root, 'ci', folder)));

const total = { passed: 0, failed: 0 };
for (const node of nodes) {
  const version = await versionOf(node);
  const { passed, failed, failures } = await runTests(node);
  total.passed += passed;
  total.failed += failed;
  console.log(`Node ${version}: ${passed} passed, ${failed} failed`);
  if (failures !== '') console.log(failures);
}
console.log(`${total.passed} passed, ${total.failed} failed`);
if (total.failed > 0) process.exitCode = 1;

function testFilesIn(folder) {
  const isTest = (path) => path.endsWith('.test.js') && /(^|\/)dist/.test(`${folder}/${path}`) && !path.includes('node_modules');
  return readdirSync(join(root, folder), { recursive: true })
    .filter(isTest)
    .map((path) => join(folder, path))
    .toSorted();
}

/** The path of the Node of a folder, in the version that its package.json pins. */
async function installedIn(folder) {
  const node = join(folder, 'node_modules', '.bin', 'node');
  const { node: pinned } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).dependencies;
  if (existsSync(node) && (await versionOf(node)) === pinned) return node;
  console.log(`installing Node ${pinned} in ${relative(root, folder)}`);
  // The binary is put in its place by a script of the package.
  await run('npm', ['install', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts=false'], { cwd: folder });
  return node;
}

async function versionOf(node) {
  const { stdout } = await run(node, ['--version']);
  return stdout.trim().slice(1);
}

async function runTests(node) {
  // Tests that look for `node` in the PATH find this one, too.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  const tests = spawn(node, ['--test', '--test-reporter=spec', '--test-timeout=120000', ...files], { cwd: root, env });
  let output = '';
  for (const stream of [tests.stdout, tests.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      output += text;
    });
  }
  const exitCode = await new Promise((resolve, reject) => {
    tests.on('error', reject);
    tests.on('close', resolve);
  });
  const passed = Number(/^ℹ pass (\d+)$/m.exec(output)?.[1] ?? 0);
  const failed = Number(/^ℹ fail (\d+)$/m.exec(output)?.[1] ?? 0) + Number(/^ℹ cancelled (\d+)$/m.exec(output)?.[1] ?? 0);
  if (exitCode === 0 && failed === 0) return { passed, failed, failures: '' };
  // A runner that fails without a failed test has not run them all.
  const firstFailure = output.indexOf('✖ failing tests:');
  return { passed, failed: Math.max(failed, 1), failures: firstFailure < 0 ? output : output.slice(firstFailure) };
}

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

describe('the packed package', () => {
  const packed = packedFiles();

  it('holds every file that an export names', () => {
    const exported = exportedFiles();
    assert.ok(exported.length > 0);
    assert.deepEqual(
      exported.filter((file) => !packed.includes(file)),
      [],
    );
  });

  it('holds no test and no build state', () => {
    assert.deepEqual(
      packed.filter((file) => /\.test\.|tsbuildinfo|dist-test/.test(file)),
      [],
    );
  });

  it('has no runtime dependencies', () => {
    const manifest: object = require('vigiljs/package.json');
    assert.equal('dependencies' in manifest, false);
  });

  for (const subPath of ['vigiljs', 'vigiljs/testing']) {
    it(`gives the same ${subPath} to import and to require`, async () => {
      const imported: object = await import(subPath);
      const required: object = require(subPath);
      assert.deepEqual(Object.keys(required), Object.keys(imported));
    });
  }
});

function packedFiles(): string[] {
  const json = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: packageFolder, encoding: 'utf8' });
  const [tarball]: { files: { path: string }[] }[] = JSON.parse(json);
  return tarball!.files.map((file) => file.path);
}

function exportedFiles(): string[] {
  const manifest: { exports: Record<string, string | Record<string, string>> } = require('vigiljs/package.json');
  const targets = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)));
  return targets.map((target) => target.replace('./', ''));
}

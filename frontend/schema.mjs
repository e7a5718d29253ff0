/**
 * The description that the program serves (`api/v1/openapi.json`) -> `src/api/schema.ts`.
 *
 * `node schema.mjs` writes the file, `node schema.mjs --check` only compares. CONVSCOPE_BIN names the program (else
 * ../target/debug/convscope).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FRONTEND, startServer } from './e2e/server.mjs';
import { typeScript } from './schema/type-script.mjs';

const FILE = join(FRONTEND, 'src/api/schema.ts');

async function served() {
  const logdir = mkdtempSync(join(tmpdir(), 'convscope-schema-'));
  const server = await startServer(['--logdir', logdir]);
  try {
    const answer = await fetch(`${server.base}api/v1/openapi.json`, { signal: AbortSignal.timeout(30_000) });
    if (!answer.ok) throw new Error(`openapi.json: the program answers ${answer.status}`);
    return await answer.json();
  } finally {
    await server.stop();
    rmSync(logdir, { recursive: true, force: true });
  }
}

const wanted = typeScript(await served());
if (!process.argv.includes('--check')) {
  writeFileSync(FILE, wanted);
} else if (readFileSync(FILE, 'utf8') !== wanted) {
  console.error('frontend/src/api/schema.ts is not what the program serves: run make schema and commit it');
  process.exit(1);
}

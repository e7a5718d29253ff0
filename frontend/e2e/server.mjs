/** Starts the real program on a free port and stops it again; only what was started here is ever ended. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const FRONTEND = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const BINARY = resolve(process.env.CONVSCOPE_BIN ?? join(FRONTEND, '../target/debug/convscope'));

/** Long enough for a loaded machine: it only ends a hang. */
const HANG_MS = 60_000;

const running = new Set();

/** @returns {{ base: string, port: number, stop: () => Promise<void> }} */
export async function startServer(args, port = 0) {
  const folder = mkdtempSync(join(tmpdir(), 'convscope-e2e-'));
  const portFile = join(folder, 'port');
  const child = spawn(BINARY, [...args, '--port', String(port), '--port-file', portFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Nothing is kept in the home of whoever runs this.
    env: { ...process.env, XDG_STATE_HOME: join(folder, 'state') },
  });
  let said = '';
  child.stderr.on('data', (bytes) => {
    said = (said + bytes).slice(-4000);
  });
  const ended = new Promise((done) => child.once('close', done));
  child.once('error', (error) => {
    said += error.message;
  });
  running.add(child);
  const stop = async () => {
    running.delete(child);
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(late);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const start = Date.now();
  for (;;) {
    const text = existsSync(portFile) ? readFileSync(portFile, 'utf8') : '';
    if (text.endsWith('\n')) return { base: `http://127.0.0.1:${text.trim()}/`, port: Number(text), stop };
    if (child.exitCode !== null || child.pid === undefined || Date.now() - start > HANG_MS) {
      await stop();
      throw new Error(`${BINARY} ${args.join(' ')} did not start: ${said}`);
    }
    await new Promise((done) => setTimeout(done, 30));
  }
}

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

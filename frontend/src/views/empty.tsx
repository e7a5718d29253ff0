/** The page without anything to draw: what to do about it, and what the logs hold instead. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Health, Skipped } from '../api/types';
import { bytes, count, grouped } from '../model/format';
import { tagCounts } from '../model/tag-counts';
import { lists } from '../state/lists';
import { loadLists, loadSkipped } from '../state/lists-loader';
import { rows, settledIn, valueIn } from '../state/loadable';
import { Offers } from './offers';
import { Recipes } from './recipes';

export function Empty(): JSX.Element {
  const runs = settledIn(lists.runs.value);
  if (runs.kind === 'failed') return <NoAnswer message={runs.message} refused={runs.refused} />;
  const health = valueIn(lists.health.value);
  const reading = health?.status === 'loading' && !isMissing(health);
  // The headline and the advice depend on what is not drawn.
  if (!reading && settledIn(lists.skipped.value).kind === 'idle') return <div class="empty" />;
  return (
    <div class="empty">
      <div class="column">
        <h2>{headline(health)}</h2>
        <p>{scanned(health)}</p>
        {reading ? <progress aria-label="Reading" /> : <Mending />}
      </div>
    </div>
  );
}

function Mending(): JSX.Element {
  if (ignored().length > 0) {
    return (
      <>
        <SkippedTable />
        <p class="hint">This page updates by itself when you change the rules file.</p>
      </>
    );
  }
  return (
    <>
      <Offers />
      <p class="from-checkpoints">
        To see kernels, let the training save checkpoints in this directory. Those of safetensors, PyTorch, Keras,
        TensorFlow, JAX and NumPy, and ONNX models, are read, and shown as soon as they are saved.
      </p>
      <Recipes />
      <Unread />
      <SkippedTags />
    </>
  );
}

function NoAnswer({ message, refused }: { message: string; refused: boolean }): JSX.Element {
  const ends = /[.!?]$/.test(message) ? message : `${message}.`;
  return (
    <div class="empty">
      <div class="column">
        <h2>{refused ? 'ConvScope refused the request' : 'ConvScope does not answer'}</h2>
        <p>{refused ? ends : `${ends} The page keeps trying; is the program still running?`}</p>
        <p>
          <button type="button" class="button" onClick={() => void loadLists()}>
            Try now
          </button>
        </p>
      </div>
    </div>
  );
}

const isMissing = (health: Health | null): boolean =>
  health?.problems.some((problem) => problem.kind === 'logdir_missing') ?? false;

/** There is nothing that could have tensors. Only event files are counted, but a checkpoint is of a run. */
const hasNothing = (health: Health | null): boolean =>
  (health?.scanned.files ?? 0) === 0 && rows(lists.runs.value).length === 0;

/** Tags that could be drawn and that a rule leaves out: changing the rule would show them. */
const ignored = (): Skipped[] =>
  rows(lists.skipped.value).filter(({ kind, shape }) => kind === 'ignored' && (shape === null || shape.length > 1));

function headline(health: Health | null): string {
  if (isMissing(health)) return 'The logdir does not exist yet';
  if (health?.status === 'loading') return 'Reading the logdir';
  if (hasNothing(health)) return 'No event files or checkpoints yet';
  if (ignored().length > 0) return 'Rules leave out everything that could be drawn';
  return 'No kernels or activations yet';
}

function scanned(health: Health | null): string {
  if (!health) return '';
  if (isMissing(health)) return `${health.logdir} does not exist. ConvScope waits for it.`;
  const { files, bytes: size, records } = health.scanned;
  if (hasNothing(health)) return `${health.logdir} holds no event files and no checkpoints. ConvScope watches it.`;
  if (files === 0) return `${health.logdir}: the checkpoints here hold no tensor that can be drawn.`;
  return `${health.logdir}: ${count(files, 'file')}, ${bytes(size)}, ${count(records, 'record')} read.`;
}

/** How many rows are shown at first: a run may have a thousand scalars. */
const SHOWN = 12;

/** One line with the counts; a click shows the tags. */
function SkippedTags(): JSX.Element | null {
  const skipped = rows(lists.skipped.value);
  if (skipped.length === 0) return null;
  return (
    <details class="skipped" onToggle={() => void loadSkipped()}>
      <summary>{tagCounts(skipped)}</summary>
      <SkippedTable />
    </details>
  );
}

function SkippedTable(): JSX.Element {
  const [all, setAll] = useState(false);
  const skipped = ignoredFirst(rows(lists.skipped.value));
  const shown = all ? skipped : skipped.slice(0, SHOWN);
  return (
    <>
      <div class="table">
        <table>
          <thead>
            <tr>
              <th>tag</th>
              <th>kind</th>
              <th>shape</th>
              <th class="number">records</th>
              <th>why there is no picture</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <SkippedRow key={`${one.run}\n${one.tag}\n${one.kind}`} skipped={one} />
            ))}
          </tbody>
        </table>
      </div>
      {!all && skipped.length > SHOWN && (
        <button type="button" class="quiet" onClick={() => setAll(true)}>
          {grouped(skipped.length - SHOWN)} more
        </button>
      )}
    </>
  );
}

const ignoredFirst = (all: readonly Skipped[]): Skipped[] =>
  [...all].sort((a, b) => Number(b.kind === 'ignored') - Number(a.kind === 'ignored'));

function SkippedRow({ skipped }: { skipped: Skipped }): JSX.Element {
  return (
    <tr>
      <td>{skipped.run === '.' ? skipped.tag : `${skipped.run} / ${skipped.tag}`}</td>
      <td>{skipped.kind === 'not_kept' ? 'not kept' : skipped.kind}</td>
      <td>{skipped.shape === null ? '' : `[${skipped.shape.join(', ')}]`}</td>
      <td class="number">
        {grouped(skipped.count)}
        <span class={skipped.kind in COUNTED ? undefined : 'only-narrow'}> {counted(skipped)}</span>
      </td>
      <td>{skipped.reason}</td>
    </tr>
  );
}

/** What is counted where it is no record. */
const COUNTED: Record<string, string> = { checkpoint: 'tensor', not_kept: 'save' };

function counted({ kind, count: number }: Skipped): string {
  const one = COUNTED[kind] ?? 'record';
  return number === 1 ? one : `${one}s`;
}

/** How many checkpoints are named. */
const NAMED = 3;

/** Checkpoints of a kind that is not read: their names show a user that this is the right directory. */
function Unread(): JSX.Element | null {
  const found = valueIn(lists.health.value)?.checkpoints;
  if (!found || found.count === 0) return null;
  const names = found.names.slice(0, NAMED).join(', ');
  const more = found.count > NAMED ? ` and ${grouped(found.count - NAMED)} more` : '';
  return (
    <p class="checkpoints">
      {found.count === 1
        ? '1 file here looks like a checkpoint of a kind that is not read'
        : `${grouped(found.count)} files here look like checkpoints of a kind that is not read`}
      : {names}
      {more}.
    </p>
  );
}

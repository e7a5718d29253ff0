/** What went wrong with the files, in full. */
import type { JSX } from 'preact';
import type { Health } from '../api/types';
import { bytes, count, grouped } from '../model/format';
import { problemPlace, problemSubject } from '../model/words';
import { lists } from '../state/lists';
import { valueIn } from '../state/loadable';
import { Dialog } from './dialog';
import { Offers } from './offers';

export function ProblemsDialog(): JSX.Element {
  const health = valueIn(lists.health.value);
  return (
    <Dialog name="problems" title="Files">
      {health && (
        <p>
          {health.logdir}
          {health.scanned.files > 0 &&
            `: ${count(health.scanned.files, 'event file')}, ${bytes(health.scanned.bytes)}, ${count(health.scanned.records, 'record')} read.`}
        </p>
      )}
      {health?.watch.mode === 'poll' && (
        <p>
          Files are polled, so new steps come a little later{health.watch.reason ? `: ${health.watch.reason}` : ''}.
        </p>
      )}
      {health?.shelf && <Shelf shelf={health.shelf} />}
      <ul class="problems">
        {health?.problems.map((problem) => (
          <li key={`${problem.run} ${problem.file} ${problem.offset} ${problem.kind}`}>
            <h3>{problemSubject(problem)}</h3>
            <p>
              {problem.message}
              {problem.count > 1 && <span class="times"> {grouped(problem.count)} times</span>}
            </p>
            <small>{problemPlace(problem)}</small>
          </li>
        ))}
      </ul>
      {health?.problems.length === 0 && <p>Nothing is damaged.</p>}
      <Offers />
    </Dialog>
  );
}

/** Where copies of kernels are kept, and which saves were overwritten before they were copied. */
function Shelf({ shelf }: { shelf: NonNullable<Health['shelf']> }): JSX.Element {
  const { dir, saves, lost } = shelf;
  return (
    <p class="shelf">
      Kernels of checkpoints are kept in {dir}, because training often overwrites or deletes them:{' '}
      {count(saves, 'save')}, {bytes(shelf.bytes)} of at most {bytes(shelf.most_bytes)}.
      {lost > 0 && ` ${count(lost, 'save')} lost: overwritten before it was copied: ${shelf.lost_saves.join('; ')}.`}
    </p>
  );
}

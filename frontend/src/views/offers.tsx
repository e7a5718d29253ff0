/** Checkpoints that may belong to runs and are shown only if the user says so. */
import type { JSX } from 'preact';
import { lists } from '../state/lists';
import { valueIn } from '../state/loadable';

export function Offers(): JSX.Element | null {
  const offers = valueIn(lists.health.value)?.offers ?? [];
  if (offers.length === 0) return null;
  return (
    <ul class="offers">
      {offers.map((offer) => (
        <li key={`${offer.dir} ${offer.runs.join(' ')}`}>{offer.words}</li>
      ))}
    </ul>
  );
}

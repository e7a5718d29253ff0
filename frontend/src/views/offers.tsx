/** Checkpoints that may belong to runs and are shown only if the user says so. */
import type { JSX } from 'preact';
import type { Health } from '../api/types';
import { lists } from '../state/lists';
import { valueIn } from '../state/loadable';
import { useCopy } from './hooks';
import { Icon } from './icons';

type Offer = Health['offers'][number];

export function Offers(): JSX.Element | null {
  const offers = valueIn(lists.health.value)?.offers ?? [];
  if (offers.length === 0) return null;
  return (
    <section class="offers">
      <h3>Checkpoints beside the runs, which are shown if you name them</h3>
      <ul>
        {offers.map((offer) => (
          <OfferRow key={`${offer.dir} ${offer.runs.join(' ')}`} offer={offer} />
        ))}
      </ul>
    </section>
  );
}

function OfferRow({ offer }: { offer: Offer }): JSX.Element {
  const { copied, copy } = useCopy();
  return (
    <li>
      <p>{offer.found}</p>
      <code>{offer.option}</code>
      <button type="button" class="quiet copy" onClick={() => copy(offer.option)}>
        <Icon name={copied ? 'check' : 'copy'} /> {copied ? 'copied' : 'copy'}
      </button>
    </li>
  );
}

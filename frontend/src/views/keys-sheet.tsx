/** The list of keys, from the table that the keyboard handler uses. */
import type { JSX } from 'preact';
import { keyRows } from '../model/keys';
import { currentNoun } from '../state/axes';
import { Dialog } from './dialog';

export function KeysSheet(): JSX.Element {
  return (
    <Dialog name="keys" title="Keys">
      <dl class="keys">
        {keyRows(currentNoun.value).map((row) => (
          <div key={row.words}>
            <dt>
              {row.shown.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{row.words}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

/** The list of keys, from the table that the keyboard handler uses. */
import type { JSX } from 'preact';
import { KEY_ROWS } from '../model/keys';
import { Dialog } from './dialog';

export function KeysSheet(): JSX.Element {
  return (
    <Dialog name="keys" title="Keys">
      <dl class="keys">
        {KEY_ROWS.map((row) => (
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

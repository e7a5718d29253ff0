/** State: what the page shows, as the address bar has it, and the note about what was corrected. */
import { batch } from '@preact/signals';
import { type Address, decodeAddress, encodeAddress, NOWHERE } from '../model/address';
import { fields, type Readings } from './group';
import { clearCursor } from './pointing';

interface Navigation {
  address: Address;
  /** A note about something that was corrected; null if there is none. */
  note: string | null;
}

const own = fields<Navigation>({ address: NOWHERE, note: null });
export const navigation: Readings<Navigation> = own;

/** `push` makes an entry in the browser's history; `replace` is for steps and for what the page settles by itself. */
export type How = 'push' | 'replace';

/** Browsers refuse more than some hundred changes of the address in half a minute: a drag writes once, at its end. */
const WRITE_PAUSE_MS = 200;

let writeDue: ReturnType<typeof setTimeout> | undefined;

/** Changes what the page shows. Every choice goes through here, so that it is in the link and can be undone. */
export function goTo(change: Partial<Address>, how: How): void {
  const address = { ...own.address.peek(), ...change };
  if (encodeAddress(address) === encodeAddress(own.address.peek())) return;
  own.address.value = address;
  clearTimeout(writeDue);
  if (how === 'push') writeAddress('push');
  else writeDue = setTimeout(() => writeAddress('replace'), WRITE_PAUSE_MS);
}

function writeAddress(how: How): void {
  const query = encodeAddress(own.address.peek());
  const target = query === '' ? location.pathname : `?${query}`;
  if (how === 'push') history.pushState(null, '', target);
  else history.replaceState(null, '', target);
}

/** Takes what the address bar says, at the start and when the browser goes back or forth. */
export function readAddress(): void {
  const { address, notes } = decodeAddress(location.search);
  clearTimeout(writeDue);
  isLinkNew = true;
  batch(() => {
    clearNote();
    // Without a run or tag the address means the default, which is on show already.
    const { run, tag } = own.address.peek();
    own.address.value = {
      ...address,
      run: address.run ?? run,
      tag: address.tag ?? (address.run === null ? tag : null),
    };
    clearCursor();
    if (notes.length > 0) tell(notes.join(' '));
  });
}

/** Nobody has touched anything since the address was read: notes are about the link. */
let isLinkNew = true;

/** From now on notes are about what the user does. */
export function endLink(): void {
  isLinkNew = false;
}

/** Whether nobody has touched or chosen anything since the address was read. */
export const isUntouched = (): boolean => isLinkNew;

/** Shows a note. All mistakes of a link are shown, one after another; later the newest note replaces the last. */
export function tell(note: string): void {
  const before = own.note.peek();
  if (!isLinkNew || before === null) own.note.value = note;
  else if (!before.includes(note)) own.note.value = `${before} ${note}`;
}

export function clearNote(): void {
  own.note.value = null;
}

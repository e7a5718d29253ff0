/** Wires the page: the address, the live stream, the keys, and the effects that follow the choices. */
import { effect } from '@preact/signals';
import { openLive } from '../api/live';
import { comparison } from '../model/compare';
import { actionOf, type KeyAction, type Menu, menuOf } from '../model/keys';
import { closeTile, moveCursor, moveStep, openTile, toggleFollow, zoomBy, zoomToFit } from './actions';
import { keepBesideCurrent } from './beside-loader';
import { stopComparing, toggleCompare } from './compare-actions';
import { keepFramesPlaying } from './frame-player';
import { followHost } from './host';
import { keepListsCurrent, keepTileReal, keepTrackReadable, loadLists } from './lists-loader';
import { keepProgressCurrent, takeRevision } from './live-updates';
import { pickNext } from './menu-choices';
import { endLink, goTo, navigation, readAddress } from './navigation';
import { keepNumbersCurrent } from './numbers-loader';
import { closeHistogram, closeOverlay, openOverlay, panels, toggleOverlay } from './panels';
import { keepPartnerCurrent } from './partner';
import { keepPictureCurrent, retryPicture } from './picture-loader';
import { keepPlaying, togglePlay } from './player';
import { clearCursor, pointing } from './pointing';
import { keepRunRangeCurrent } from './run-range-loader';
import { setConnection } from './surroundings';
import { rememberTheme } from './theme';
import { keepColormapCurrent, keepValuesCurrent } from './values-loader';

export function start(): void {
  readAddress();
  window.addEventListener('popstate', readAddress);
  // Captured before any other handler. Assistive software may choose without a key or a pointer.
  for (const touch of ['keydown', 'pointerdown', 'click', 'change', 'input'])
    window.addEventListener(touch, endLink, { capture: true });
  window.addEventListener('keydown', onKey);
  followHost();
  rememberTheme();
  keepListsCurrent();
  keepPictureCurrent();
  keepValuesCurrent();
  keepColormapCurrent();
  keepPartnerCurrent();
  keepBesideCurrent();
  keepNumbersCurrent();
  keepRunRangeCurrent();
  keepTileReal();
  keepTrackReadable();
  keepProgressCurrent();
  keepPlaying();
  keepFramesPlaying();
  keepTitle();
  void loadLists();
  connect();
}

function connect(): void {
  let lost = false;
  openLive({
    connection(connection) {
      if (connection === 'lost') lost = true;
      setConnection(connection);
      if (connection === 'connecting') retryPicture();
    },
    revision(revision, first) {
      takeRevision(revision, first, lost);
      lost = false;
    },
  });
}

function keepTitle(): void {
  effect(() => {
    const { tag } = navigation.address.value;
    document.title = tag === null ? 'ConvScope' : `${tag} · ConvScope`;
  });
}

function act(action: KeyAction): void {
  const menu = menuOf(action);
  if (menu !== null) pickNext(menu);
  else ACTIONS[action as Exclude<KeyAction, Menu>]();
}

const ACTIONS: Record<Exclude<KeyAction, Menu>, () => void> = {
  left: () => moveCursor('left', false),
  right: () => moveCursor('right', false),
  up: () => moveCursor('up', false),
  down: () => moveCursor('down', false),
  pixelLeft: () => moveCursor('left', true),
  pixelRight: () => moveCursor('right', true),
  pixelUp: () => moveCursor('up', true),
  pixelDown: () => moveCursor('down', true),
  open: () => {
    const cursor = pointing.cursor.peek();
    if (cursor) openTile(cursor.tile);
  },
  close: back,
  previousStep: () => moveStep(-1),
  nextStep: () => moveStep(1),
  play: togglePlay,
  follow: toggleFollow,
  difference: () => toggleCompare('minus'),
  blink: () => toggleCompare('blink'),
  zoomIn: () => zoomBy(1),
  zoomOut: () => zoomBy(-1),
  zoomFit: zoomToFit,
  search: () => {
    if (matchMedia('(max-width: 760px)').matches) {
      openOverlay('lists');
      // Shows the lists before the next render: a hidden box cannot have the focus, and the next letter may be typed before that.
      document.querySelector('.page')?.classList.add('with-lists');
    }
    document.getElementById('search')?.focus();
  },
  help: () => toggleOverlay('keys'),
};

/** Closes one thing: a dialog, then the tile, the cursor, the histogram, the comparison, the zoom. */
function back(): void {
  if (panels.overlay.peek() !== 'none') closeOverlay();
  else if (navigation.address.peek().tile !== null) closeTile();
  else if (pointing.cursor.peek() !== null) clearCursor();
  else if (panels.histogram.peek()) closeHistogram();
  else if (comparison(navigation.address.peek())) stopComparing();
  else if (navigation.address.peek().zoom !== null) goTo({ zoom: null }, 'replace');
}

function onKey(event: KeyboardEvent): void {
  const action = actionOf(event);
  if (action === null || event.defaultPrevented) return;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest('input, select, textarea') && action !== 'close') return;
  // A focused button or link keeps its own Enter and Space; lists and the track keep their arrows.
  if ((action === 'open' || action === 'play') && target?.closest('button, a, summary')) return;
  const arrow = event.key.startsWith('Arrow');
  if (arrow && target?.closest('[data-own-arrows], dialog')) return;
  event.preventDefault();
  if (action === 'close' && target instanceof HTMLElement && target.closest('input, select')) target.blur();
  else act(action);
}

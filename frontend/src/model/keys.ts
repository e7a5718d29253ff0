/** The keys of the page: one table for the keyboard handler and for the list of keys. */

/** The menus above the stage, by the option that they choose, each with its key and its name. */
const MENUS = {
  view: { key: 'v', name: 'view' },
  range: { key: 'n', name: 'range' },
  scope: { key: 's', name: 'scope' },
  cmap: { key: 'c', name: 'colours' },
  order: { key: 'o', name: 'order' },
};

export type Menu = keyof typeof MENUS;
const menus = Object.keys(MENUS) as Menu[];

/** The menu that an action steps through; null where it is another action. */
export const menuOf = (action: KeyAction): Menu | null => menus.find((menu) => menu === action) ?? null;

export type KeyAction =
  | 'left'
  | 'right'
  | 'up'
  | 'down'
  | 'pixelLeft'
  | 'pixelRight'
  | 'pixelUp'
  | 'pixelDown'
  | 'open'
  | 'close'
  | 'previousStep'
  | 'nextStep'
  | 'play'
  | 'follow'
  | Menu
  | 'difference'
  | 'blink'
  | 'zoomIn'
  | 'zoomOut'
  | 'zoomFit'
  | 'search'
  | 'help';

export interface Key {
  /** `KeyboardEvent.key`, with `Shift+` where that matters. */
  keys: string[];
  action: KeyAction;
}

export const KEYS: readonly Key[] = [
  { keys: ['ArrowLeft'], action: 'left' },
  { keys: ['ArrowRight'], action: 'right' },
  { keys: ['ArrowUp'], action: 'up' },
  { keys: ['ArrowDown'], action: 'down' },
  { keys: ['Shift+ArrowLeft'], action: 'pixelLeft' },
  { keys: ['Shift+ArrowRight'], action: 'pixelRight' },
  { keys: ['Shift+ArrowUp'], action: 'pixelUp' },
  { keys: ['Shift+ArrowDown'], action: 'pixelDown' },
  { keys: ['Enter'], action: 'open' },
  { keys: ['Escape'], action: 'close' },
  { keys: ['['], action: 'previousStep' },
  { keys: [']'], action: 'nextStep' },
  { keys: [' '], action: 'play' },
  { keys: ['f'], action: 'follow' },
  ...menus.map((menu) => ({ keys: [MENUS[menu].key], action: menu })),
  { keys: ['d'], action: 'difference' },
  { keys: ['b'], action: 'blink' },
  { keys: ['+', '='], action: 'zoomIn' },
  { keys: ['-'], action: 'zoomOut' },
  { keys: ['0'], action: 'zoomFit' },
  { keys: ['/'], action: 'search' },
  { keys: ['?'], action: 'help' },
];

export interface KeyRow {
  shown: string[];
  words: string;
  actions: KeyAction[];
}

/**
 * The rows of the list of keys, where one goes through `steps` of this name. Several actions may share a row; a test
 * finds actions that have none.
 */
export const keyRows = (step: string): readonly KeyRow[] => [
  { shown: ['←', '→', '↑', '↓'], words: 'move over tiles', actions: ['left', 'right', 'up', 'down'] },
  {
    shown: ['Shift', '←', '→', '↑', '↓'],
    words: 'move over the values of a tile',
    actions: ['pixelLeft', 'pixelRight', 'pixelUp', 'pixelDown'],
  },
  { shown: ['Enter'], words: 'open the tile', actions: ['open'] },
  { shown: ['Esc'], words: 'close', actions: ['close'] },
  { shown: ['[', ']'], words: `previous ${step}, next ${step}`, actions: ['previousStep', 'nextStep'] },
  { shown: ['Space'], words: 'play, pause', actions: ['play'] },
  { shown: ['f'], words: `follow the latest ${step}`, actions: ['follow'] },
  ...menus.map((menu) => ({ shown: [MENUS[menu].key], words: `next ${MENUS[menu].name}`, actions: [menu] })),
  { shown: ['d'], words: `difference to another ${step} or run`, actions: ['difference'] },
  { shown: ['b'], words: `blink with another ${step} or run`, actions: ['blink'] },
  { shown: ['+', '−', '0'], words: 'larger, smaller, fit', actions: ['zoomIn', 'zoomOut', 'zoomFit'] },
  { shown: ['/'], words: 'search runs and layers', actions: ['search'] },
  { shown: ['?'], words: 'these keys', actions: ['help'] },
];

/** What a pressed key asks for. Keys with Ctrl, Alt or Meta belong to the browser. */
export function actionOf(
  event: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey'>,
): KeyAction | null {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const name = event.shiftKey && event.key.startsWith('Arrow') ? `Shift+${event.key}` : event.key;
  return KEYS.find((key) => key.keys.includes(name))?.action ?? null;
}

/** The option after the present one; after the last comes the first. */
export function following(options: readonly string[], present: string | null): string | null {
  if (options.length === 0) return null;
  const place = present === null ? -1 : options.indexOf(present);
  return options[(place + 1) % options.length] ?? null;
}

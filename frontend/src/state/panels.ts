/** State: what lies over the page or is opened beside the picture, and what is searched for. */
import { fields, type Readings } from './group';

/** What lies over the page: the lists on a narrow screen, or a dialog. */
export type Overlay = 'none' | 'lists' | 'keys' | 'problems' | 'numbers' | 'film';

interface Panels {
  overlay: Overlay;
  /** The range is set by hand over the histogram. */
  histogram: boolean;
  search: string;
}

const own = fields<Panels>({ overlay: 'none', histogram: false, search: '' });
export const panels: Readings<Panels> = own;

export function openOverlay(name: Overlay): void {
  own.overlay.value = name;
}

/** Closes what lies over the page; with a name, only where it is that. */
export function closeOverlay(name?: Overlay): void {
  if (name === undefined || own.overlay.peek() === name) own.overlay.value = 'none';
}

export function toggleOverlay(name: Overlay): void {
  own.overlay.value = own.overlay.peek() === name ? 'none' : name;
}

export function toggleHistogram(): void {
  own.histogram.value = !own.histogram.peek();
}

export function closeHistogram(): void {
  own.histogram.value = false;
}

export function searchFor(text: string): void {
  own.search.value = text;
}

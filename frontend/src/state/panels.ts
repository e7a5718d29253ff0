/** State: what lies over the page or is opened beside the picture, and what is searched for. */
import { fields, type Readings } from './group';

/** What lies over the page: the lists on a narrow screen, or a dialog. */
export type Over = 'none' | 'lists' | 'keys' | 'trouble' | 'numbers' | 'film';

interface Panels {
  over: Over;
  /** The range is set by hand over the histogram. */
  histogram: boolean;
  search: string;
}

const own = fields<Panels>({ over: 'none', histogram: false, search: '' });
export const panels: Readings<Panels> = own;

export function openOver(name: Over): void {
  own.over.value = name;
}

/** Closes what lies over the page; with a name, only where it is that. */
export function closeOver(name?: Over): void {
  if (name === undefined || own.over.peek() === name) own.over.value = 'none';
}

export function toggleOver(name: Over): void {
  own.over.value = own.over.peek() === name ? 'none' : name;
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

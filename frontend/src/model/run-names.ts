/** Names of runs in a narrow list: the common parts are shown once, and the parts that differ stay visible. */

export interface Shared {
  /** What all names begin with, whole directories or words: `tf-event-files/`; empty where there is nothing. */
  prefix: string;
  /** What all names end with, likewise: `/train`; empty where there is nothing. */
  suffix: string;
}

/** Longer names do not fit into the list; words that all of them share are taken out as well. */
const ROOM = 24;
const BETWEEN_DIRECTORIES = /\//;
const BETWEEN_WORDS = /[/_\- ]/;

/** The common parts of the names; none for a single name. */
export function sharedParts(names: readonly string[]): Shared {
  const shared = sharedUpTo(BETWEEN_DIRECTORIES, names);
  if (names.every((name) => ownPart(name, shared).length <= ROOM)) return shared;
  const words = sharedUpTo(BETWEEN_WORDS, names);
  return names.some((name) => ownPart(name, words) === '') ? shared : words;
}

function sharedUpTo(separator: RegExp, names: readonly string[]): Shared {
  if (names.length < 2) return { prefix: '', suffix: '' };
  const prefix = commonBeginning(separator, names);
  const rests = names.map((name) => backwards(name.slice(prefix.length)));
  return { prefix, suffix: backwards(commonBeginning(separator, rests)) };
}

const backwards = (text: string): string => [...text].reverse().join('');

/** The longest beginning of all texts that ends with a separator. */
function commonBeginning(separator: RegExp, texts: readonly string[]): string {
  const [first = '', ...others] = texts;
  let length = first.length;
  for (const text of others) {
    let same = 0;
    while (same < length && text[same] === first[same]) same++;
    length = same;
  }
  while (length > 0 && !separator.test(first[length - 1] as string)) length--;
  return first.slice(0, length);
}

/** The name without what all share. */
export const ownPart = (name: string, { prefix, suffix }: Shared): string =>
  name.slice(prefix.length, name.length - suffix.length);

/** How many letters at the end of a long name are never cut. */
const TAIL = 12;

/** A name in two parts, of which the first may be cut: names differ at their ends as often as at their beginnings. */
export function cuttable(name: string): { head: string; tail: string } {
  const letters = [...name];
  if (letters.length <= 2 * TAIL) return { head: name, tail: '' };
  return { head: letters.slice(0, -TAIL).join(''), tail: letters.slice(-TAIL).join('') };
}

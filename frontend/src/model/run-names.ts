/** Names of runs in a narrow list: what all of them share stands once, and what tells them apart stays in sight. */

export interface Shared {
  /** What all names begin with, whole directories: `tf-event-files/`; empty where there is nothing. */
  prefix: string;
  /** What all names end with, whole directories: `/train`; empty where there is nothing. */
  suffix: string;
}

/** What the names have in common; of a single name nothing is. */
export function sharedParts(names: readonly string[]): Shared {
  if (names.length < 2) return { prefix: '', suffix: '' };
  const prefix = commonDirectories(names);
  const rests = names.map((name) => backwards(name.slice(prefix.length)));
  return { prefix, suffix: backwards(commonDirectories(rests)) };
}

const backwards = (text: string): string => [...text].reverse().join('');

/** The longest beginning of all texts that ends with a slash. */
function commonDirectories(texts: readonly string[]): string {
  const [first = '', ...others] = texts;
  let length = first.length;
  for (const text of others) {
    let same = 0;
    while (same < length && text[same] === first[same]) same++;
    length = same;
  }
  return first.slice(0, first.lastIndexOf('/', length - 1) + 1);
}

/** The name without what all share. */
export const ownPart = (name: string, { prefix, suffix }: Shared): string =>
  name.slice(prefix.length, name.length - suffix.length);

/** So many letters at the end of a long name are never cut. */
const TAIL = 12;

/** A name in two parts, of which the first may be cut: names differ at their ends as often as at their beginnings. */
export function cuttable(name: string): { head: string; tail: string } {
  const letters = [...name];
  if (letters.length <= 2 * TAIL) return { head: name, tail: '' };
  return { head: letters.slice(0, -TAIL).join(''), tail: letters.slice(-TAIL).join('') };
}

/** Who may write the state: the methods in the file of each group, and nobody else. */
import { describe, expect, test } from 'vitest';

const TEXTS = import.meta.glob<string>('../**/*.{ts,tsx}', { query: '?raw', import: 'default', eager: true });

/** The source files, without tests, by their path below `src`. */
const sources = Object.entries(TEXTS)
  .map(([path, text]) => ({ name: path.startsWith('./') ? `state/${path.slice(2)}` : path.slice(3), text }))
  .filter(({ name }) => !name.includes('.test.'));

/** Whether a text assigns to `.value` of something: `a.value = 1`, `a.b.value += 1`, `a.value++`. */
const writes = (text: string): string[] =>
  [...text.matchAll(/([\w.]+)\.value\s*(?:[-+*/%&|^?]{0,2}=(?![=>])|\+\+|--)/g)].map((found) => found[1] as string);

/** What makes signals for the groups, and is no group itself. */
const MAKER = 'state/group.ts';
const groups = sources.filter(
  ({ name, text }) => name.startsWith('state/') && name !== MAKER && /\bfields</.test(text),
);

describe('writing', () => {
  test('is found where it is', () => {
    expect(writes('own.a.value = 1; b.value += 1; c.value++; d.value ??= 2')).toEqual(['own.a', 'b', 'c', 'd']);
    expect(writes('if (a.value === 1 || a.value >= 2) b(c.value); (d.value) => 1; a.value == b')).toEqual([]);
  });

  test('there are groups and views to look at', () => {
    expect(groups.map(({ name }) => name)).toContain('state/navigation.ts');
    expect(groups.length).toBeGreaterThan(7);
    expect(sources.filter(({ name }) => name.startsWith('views/')).length).toBeGreaterThan(30);
  });

  test('in a group its own fields alone are written', () => {
    for (const { name, text } of groups) {
      for (const target of writes(text)) expect(`${name}: ${target}`).toMatch(/: own\.\w+$/);
    }
  });

  test('elsewhere no state is written, and no signal is made', () => {
    // Text boxes have a `value` too.
    const boxes = ['event.currentTarget', 'area'];
    for (const { name, text } of sources.filter((one) => one.name !== MAKER && !groups.includes(one))) {
      const targets = writes(text).filter((target) => !boxes.includes(target));
      expect(targets, `${name} writes`).toEqual([]);
      expect(text, `${name} makes a signal`).not.toMatch(/\b(signal|useSignal)\(/);
    }
  });

  test('a group hands its fields out for reading alone', () => {
    for (const { name, text } of groups) {
      expect(text, name).toMatch(/^const own = fields</m);
      expect(text, name).toMatch(/^export const \w+: Readings<\w+> = own;$/m);
      expect(text, name).not.toMatch(/export \{[^}]*\bown\b/);
    }
  });
});

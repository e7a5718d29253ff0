/** What a log holds instead of tensors, counted by kind. */
import type { Skipped } from '../api/types';
import { count } from './format';

/** In the order in which `convscope ls` names them. */
const KINDS = ['scalar', 'histogram', 'image', 'audio', 'text', 'plugin data', 'tensor', 'empty', 'ignored'];

/** Kinds that are counted as they are: `2 plugin data`. */
const WITHOUT_PLURAL = ['audio', 'plugin data', 'empty', 'ignored'];

/** `12 tags: 8 scalars, 4 histograms; 1 checkpoint without a convolution`. A tag that several runs have counts once. */
export function tagCounts(skipped: readonly Pick<Skipped, 'tag' | 'kind'>[]): string {
  const tags = new Map<string, Set<string>>();
  const inEvents = skipped.filter(({ kind }) => kind !== 'checkpoint' && kind !== 'not_kept');
  for (const { tag, kind } of inEvents) tags.set(kind, (tags.get(kind) ?? new Set()).add(tag));
  const kinds = [...tags].map(([kind, of]) => ({ kind, number: of.size }));
  kinds.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
  const all = kinds.reduce((sum, { number }) => sum + number, 0);
  const words = kinds.map(({ kind, number }) => count(number, kind, WITHOUT_PLURAL.includes(kind) ? kind : `${kind}s`));
  const counted = all === 0 ? [] : [`${count(all, 'tag')}: ${words.join(', ')}`];
  const checkpoints = skipped.filter(({ kind }) => kind === 'checkpoint').length;
  if (checkpoints > 0) counted.push(`${count(checkpoints, 'checkpoint')} without a convolution`);
  const notKept = skipped.filter(({ kind }) => kind === 'not_kept').length;
  if (notKept > 0) counted.push(`${count(notKept, 'kernel')} not kept of overwritten checkpoints`);
  return counted.join('; ');
}

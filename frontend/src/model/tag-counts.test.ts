import { expect, it } from 'vitest';
import { tagCounts } from './tag-counts';

const tag = (tag: string, kind: string) => ({ tag, kind });

it('tags are counted by kind, those of several runs once', () => {
  const loss = tag('epoch_loss', 'scalar');
  expect(
    tagCounts([loss, loss, tag('a', 'histogram'), tag('epoch_accuracy', 'scalar'), tag('graph', 'plugin data')]),
  ).toBe('4 tags: 2 scalars, 1 histogram, 1 plugin data');
  expect(tagCounts([loss])).toBe('1 tag: 1 scalar');
});

it('checkpoints without a convolution are counted apart from tags', () => {
  const checkpoint = tag('model.pt', 'checkpoint');
  expect(tagCounts([checkpoint])).toBe('1 checkpoint without a convolution');
  expect(tagCounts([tag('loss', 'scalar'), checkpoint, tag('b.pt', 'checkpoint')])).toBe(
    '1 tag: 1 scalar; 2 checkpoints without a convolution',
  );
});

it('kernels that were not kept are counted apart from tags', () => {
  expect(tagCounts([tag('loss', 'scalar'), tag('conv5', 'not_kept')])).toBe(
    '1 tag: 1 scalar; 1 kernel not kept of overwritten checkpoints',
  );
});

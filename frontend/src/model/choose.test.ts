import { describe, expect, it } from 'vitest';
import type { Run, Series } from '../api/types';
import { NOWHERE } from './address';
import { chooseRun, chooseSeries, fitOptions } from './choose';
import { OPTIONS } from './fake-options';

const run = (name: string, series: number, last_wall_time: number | null): Run => ({
  run: name,
  series,
  layers: 1,
  first_wall_time: 1,
  last_wall_time,
  last_step: 1,
});

function series(tag: string, more: Partial<Series> = {}): Series {
  return {
    run: 'train',
    tag,
    layer: tag.split('/')[0] ?? tag,
    role: 'kernel',
    role_from: { confidence: 'sure', evidence: 'a test' },
    layout: 'HWIO',
    layout_from: null,
    dtype: 'float32',
    shape: [5, 5, 3, 64],
    frames: null,
    steps: 2,
    kept_steps: 0,
    not_kept: 0,
    first_step: 0,
    last_step: 10,
    source: 'tensor',
    note: null,
    origin: 'events',
    format: 'events',
    step_from: 'record',
    axis: 'step',
    run_from: null,
    saved_as: null,
    is_first: false,
    contradictions: [],
    operation: null,
    views: ['filters', 'matrix'],
    fits: 'colours',
    view: 'filters',
    range: 'symmetric',
    cmap: 'rgb',
    problem: null,
    version: '1f.2.0',
    ...more,
  };
}

describe('run', () => {
  const runs = [run('old', 3, 100), run('new', 3, 200), run('barren', 0, 300)];
  it('is the wanted one', () => {
    expect(chooseRun('old', runs)).toEqual({ value: runs[0], note: null });
  });
  it('is the newest that has something to show, without a word, where none is wanted', () => {
    expect(chooseRun(null, runs)).toEqual({ value: runs[1], note: null });
  });
  it('says so where the wanted one is not there', () => {
    expect(chooseRun('gone', runs)?.note).toContain('“gone”');
  });
  it('is another one, with a word, where the wanted one holds no tensors', () => {
    const choice = chooseRun('barren', runs);
    expect(choice?.value).toBe(runs[1]);
    expect(choice?.note).toBe('“barren” has no tensors; shown instead: “new”.');
    const none = [run('a', 0, 1), run('b', 0, 2)];
    expect(chooseRun('a', none)).toEqual({ value: none[0], note: null });
  });
  it('is one of which something can be drawn where there is one', () => {
    expect(chooseRun(null, runs, new Set(['new']))).toEqual({ value: runs[0], note: null });
    expect(chooseRun(null, runs, new Set(['new', 'old']))).toEqual({ value: runs[1], note: null });
    expect(chooseRun('new', runs, new Set(['new']))).toEqual({ value: runs[1], note: null });
  });
  it('is none where there are none', () => {
    expect(chooseRun('x', [])).toBeNull();
  });
});

describe('series', () => {
  const bias = series('conv1/bias', { role: 'bias', views: [] });
  const relu = series('conv1/relu', { role: 'activation' });
  const kernel = series('conv1/w');
  it('is the first kernel at first', () => {
    expect(chooseSeries(null, null, [bias, relu, kernel])?.value).toBe(kernel);
  });
  it('is the kernel of a convolution rather than one of a dense layer', () => {
    const dense = series('head/kernel', { layout: 'IO', shape: [784, 10], views: ['matrix'] });
    expect(chooseSeries(null, null, [relu, dense])?.value).toBe(dense);
    expect(chooseSeries(null, null, [dense, kernel])?.value).toBe(kernel);
    expect(chooseSeries('head/kernel', null, [dense, kernel], true)?.value).toBe(kernel);
    expect(chooseSeries('head/kernel', null, [dense, kernel])?.value).toBe(dense);
    expect(chooseSeries('conv1/relu', null, [relu, dense], true)?.value).toBe(dense);
  });
  it('is the one of the same layer and role in another run', () => {
    const before = series('conv1/Relu:0', { role: 'activation' });
    expect(chooseSeries('conv1/Relu:0', before, [kernel, relu])?.value).toBe(relu);
  });
  it('gives way to a kernel where it was chosen before there was one, and only then', () => {
    const other = series('conv2/kernel');
    expect(chooseSeries('conv1/relu', null, [relu, kernel], true)?.value).toBe(kernel);
    expect(chooseSeries('conv1/relu', null, [relu], true)?.value).toBe(relu);
    expect(chooseSeries('conv1/relu', null, [relu, kernel])?.value).toBe(relu);
    expect(chooseSeries('conv2/kernel', null, [kernel, other], true)?.value).toBe(other);
  });
  it('is never one that cannot be drawn', () => {
    const choice = chooseSeries('conv1/bias', null, [bias, kernel]);
    expect(choice?.value).toBe(kernel);
    expect(choice?.note).toContain('conv1/bias');
    expect(chooseSeries(null, null, [bias])).toBeNull();
  });
});

describe('options', () => {
  it('stay where they fit', () => {
    const address = { ...NOWHERE, view: 'matrix', range: 'fixed:-1:1', scope: 'tile', cmap: 'gray' };
    expect(fitOptions(address, series('a'), OPTIONS)).toEqual({ value: address, note: null });
  });
  it('are dropped and named where they do not', () => {
    const address = { ...NOWHERE, view: 'maps', range: 'zscale', cmap: 'jet' };
    const { value, note } = fitOptions(address, series('a'), OPTIONS);
    expect(value).toEqual(NOWHERE);
    for (const word of ['view=maps', 'range=zscale', 'cmap=jet']) expect(note).toContain(word);
  });
  it('go together, or the lesser one is dropped', () => {
    const wish = { ...NOWHERE, range: 'tf1', scope: 'run', blend: 0.5, view: 'matrix', order: 'norm' };
    const { value, note } = fitOptions(wish, series('a'), OPTIONS);
    expect(value).toEqual({ ...NOWHERE, range: 'tf1', view: 'matrix' });
    for (const word of ['scope=run', 'blend=0.5', 'order=norm']) expect(note).toContain(word);
  });
  it('are those of the kind of tensor', () => {
    const one = series('a', { fits: 'one', views: ['filters'], cmap: 'rdbu' });
    expect(fitOptions({ ...NOWHERE, cmap: 'rgb' }, one, OPTIONS).value.cmap).toBeNull();
    expect(fitOptions({ ...NOWHERE, view: 'components' }, one, OPTIONS).value.view).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import type { Series } from '../api/types';
import {
  channelCount,
  groupLayers,
  narrow,
  searchText,
  shapeWords,
  shortTag,
  thumbnailQuery,
  undrawable,
} from './layers';
import { queryString } from './query';

function tensor(layout: string | null, shape: number[], more: Partial<Series> = {}): Series {
  const kernel = layout === null || !layout.includes('C');
  return {
    run: 'train',
    tag: 'conv1/weights',
    layer: 'conv1',
    role: kernel ? 'kernel' : 'activation',
    role_from: { confidence: 'sure', evidence: 'a test' },
    layout,
    layout_from: null,
    dtype: 'float32',
    shape,
    frames: null,
    steps: 1,
    kept_steps: 0,
    not_kept: 0,
    first_step: 0,
    last_step: 7,
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
    views: ['filters'],
    fits: null,
    view: 'filters',
    range: 'symmetric',
    cmap: 'rdbu',
    problem: null,
    version: '1f.2.0',
    ...more,
  };
}

describe('shapes', () => {
  it.each([
    ['HWIO', [5, 5, 3, 64], '5×5 3→64', 64],
    ['OIHW', [64, 3, 5, 5], '5×5 3→64', 64],
    ['HWIM', [3, 3, 16, 2], '3×3 16→2', 32],
    ['IO', [128, 10], '128→10', 10],
    ['WIO', [9, 4, 8], '9 4→8', 8],
    ['NHWC', [2, 24, 24, 64], '24×24 64 ch ×2', 64],
    ['NCHW', [1, 64, 24, 24], '24×24 64 ch', 64],
    [null, [2, 3, 4], '2×3×4', null],
  ])('%s %j reads %s', (layout, shape, words, channels) => {
    expect(shapeWords(tensor(layout, shape))).toBe(words);
    expect(channelCount(tensor(layout, shape))).toBe(channels);
  });
});

describe('pictures that came encoded', () => {
  it.each([
    [[16, 24, 24, 1], '24×24 grey ×16'],
    [[3, 5, 5, 3], '5×5 colour ×3'],
    [[1, 5, 5, 3], '5×5 colour'],
    [[1, 5, 5, 4], '5×5 colour+alpha'],
  ])('%j read %s', (shape, words) => {
    expect(shapeWords(tensor('NHWC', shape, { role: 'image', source: 'image' }))).toBe(words);
  });
});

describe('the list', () => {
  const first = tensor('HWIO', [5, 5, 3, 64]);
  const second = tensor('HWIO', [3, 3, 64, 64], { tag: 'conv2/weights', layer: 'conv2' });
  const relu = tensor('NHWC', [1, 9, 9, 64], { tag: 'conv1/Relu' });
  const bias = tensor(null, [64], { tag: 'conv1/bias', views: [] });
  it('gathers a layer where it is first seen and leaves out what cannot be drawn', () => {
    const layers = groupLayers([first, bias, second, relu]);
    expect(layers.map((layer) => [layer.name, layer.series.map((one) => one.tag)])).toEqual([
      ['conv1', ['conv1/weights', 'conv1/Relu']],
      ['conv2', ['conv2/weights']],
    ]);
    expect(undrawable([first, bias])).toEqual([bias]);
  });
  it('does not repeat the layer in the tag', () => {
    expect([shortTag(first), shortTag(tensor('HWIO', [], { tag: 'conv1' }))]).toEqual(['weights', 'conv1']);
  });
  it('is searched by tag, role, layout and whether something speaks against it', () => {
    const odd = tensor('OIHW', [8, 3, 5, 5], { contradictions: ['the writer says HWIO'] });
    expect(searchText(first)).not.toContain('contradiction');
    for (const word of ['conv1/weights', 'kernel', 'OIHW', 'contradiction']) expect(searchText(odd)).toContain(word);
  });
  it('narrows by every word, and stays whole where none matches', () => {
    const rows = ['exp/1 adam', 'exp/2 sgd', 'base'];
    const text = (row: string): string => row;
    expect(narrow(rows, 'EXP sgd', text)).toEqual(['exp/2 sgd']);
    expect(narrow(rows, 'nothing', text)).toEqual(rows);
    expect(narrow(rows, '', text)).toEqual(rows);
  });
});

describe('thumbnails', () => {
  const query = (series: Series): string =>
    queryString(thumbnailQuery(series) ?? {}).replace(/^.*step=7&v=1f\.2\.0/, '');
  it('ask for few tiles, and never for more than there are', () => {
    expect(query(tensor('HWIO', [5, 5, 3, 64]))).toBe('&channels=0-15&cols=4');
    expect(query(tensor('HWIO', [5, 5, 3, 7]))).toBe('&channels=0-6&cols=3');
    expect(query(tensor('NHWC', [1, 56, 56, 64]))).toBe('&channels=0-3&cols=2');
    expect(query(tensor('HWIO', [1, 1, 3, 1]))).toBe('&channels=0&cols=1');
  });
  it('are of all pictures that came encoded, unless they are large', () => {
    const pictures = (shape: number[]): Series =>
      tensor('NHWC', shape, { role: 'image', source: 'image', view: 'image' });
    expect(query(pictures([16, 24, 24, 1]))).toBe('');
    expect(query(pictures([25, 224, 224, 3]))).toBe('&view=maps&channels=0');
  });
  it('leave a dense kernel whole, or out', () => {
    expect(query(tensor('IO', [128, 10], { view: 'matrix' }))).toBe('');
    expect(thumbnailQuery(tensor('IO', [4096, 1000], { view: 'matrix' }))).toBe(null);
  });
  it('leave a colour picture whole', () => {
    expect(query(tensor('NHWC', [1, 32, 32, 3], { cmap: 'rgb' }))).toBe('');
  });
});

/** What a server with few options says, for tests. */
import type { Options, RangeChoices, ViewChoices } from '../api/types';

const range = (usual: string, more: Partial<RangeChoices> = {}): RangeChoices => ({
  name: usual.split(':')[0] ?? usual,
  usual,
  scope: 'layer',
  scopes: ['tile', 'layer', 'run'],
  blend_scopes: ['layer'],
  ...more,
});

const view = (more: Partial<ViewChoices> = {}): ViewChoices => ({
  range: 'symmetric',
  cmap: 'rdbu',
  cmaps: ['gray', 'rdbu'],
  orders: ['index', 'norm', 'change'],
  ...more,
});

/** A server may have more options than the page. */
export const OPTIONS = {
  view: ['filters', 'matrix', 'components'],
  range: ['minmax', 'symmetric', 'percentile:P', 'fixed:LO:HI', 'tf1'],
  scope: ['tile', 'layer', 'run'],
  cmap: ['gray', 'viridis', 'rdbu', 'rgb'],
  order: ['index', 'norm', 'change'],
  labels: ['none', 'index'],
  layout: ['HWIO'],
  format: ['png'],
  options: [
    {
      name: 'order',
      values: ['index', 'norm', 'change'],
      meanings: { norm: 'By `norm`.' },
      default: '`index`',
      help: 'The order',
      fits: '',
    },
  ],
  ranges: [
    range('minmax'),
    range('symmetric'),
    range('percentile:0.99'),
    range('fixed:-1:1', { blend_scopes: [] }),
    range('tf1', { scope: 'tile', scopes: ['tile'], blend_scopes: [] }),
  ],
  needs_other_steps: { scope: ['run'], order: ['change'] },
  fits: {
    colours: {
      filters: view({ cmap: 'rgb', cmaps: ['gray', 'rdbu', 'rgb'] }),
      matrix: view({ orders: ['index'] }),
      components: view({ range: 'minmax', cmap: 'rgb', cmaps: ['rgb'], orders: ['index', 'norm'] }),
    },
    one: { filters: view() },
  },
} as Options;

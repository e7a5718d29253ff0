import { describe, expect, it } from 'vitest';
import { aSeries } from '../state/fake';
import { NOWHERE } from './address';
import { OPTIONS } from './fake-options';
import { canBlend, choicesOfRange, choicesOfView, misfits, needsOtherSteps } from './fits';

const colours = aSeries('train', 'conv1/kernel', { fits: 'colours', view: 'filters', views: ['filters', 'matrix'] });

describe('what fits', () => {
  it('is what the server says of the kind of tensor and the view', () => {
    expect(choicesOfView(OPTIONS, colours, null)?.cmap).toBe('rgb');
    expect(choicesOfView(OPTIONS, colours, 'matrix')?.orders).toEqual(['index']);
    expect(choicesOfView(OPTIONS, colours, 'maps')).toBeNull();
    expect(choicesOfView(OPTIONS, { ...colours, fits: null }, 'matrix')).toBeNull();
    expect(choicesOfView(OPTIONS, { ...colours, fits: 'unheard-of' }, 'matrix')).toBeNull();
  });
  it('is known of a range by its name, whatever its numbers', () => {
    expect(choicesOfRange(OPTIONS, 'percentile:0.5')?.usual).toBe('percentile:0.99');
    expect(choicesOfRange(OPTIONS, 'zscale')).toBeNull();
    expect(choicesOfRange(OPTIONS, null)).toBeNull();
  });
  it('is a blend where the server says so', () => {
    expect(canBlend(OPTIONS, 'symmetric', null)).toBe(true);
    expect(canBlend(OPTIONS, 'symmetric', 'run')).toBe(false);
    expect(canBlend(OPTIONS, 'fixed:0:1', null)).toBe(false);
    expect(canBlend(OPTIONS, 'tf1', null)).toBe(false);
  });
  it('tells which pictures change with other steps', () => {
    expect(needsOtherSteps(OPTIONS, NOWHERE)).toBe(false);
    expect(needsOtherSteps(OPTIONS, { ...NOWHERE, scope: 'layer', order: 'norm' })).toBe(false);
    expect(needsOtherSteps(OPTIONS, { ...NOWHERE, scope: 'run' })).toBe(true);
    expect(needsOtherSteps(OPTIONS, { ...NOWHERE, order: 'change' })).toBe(true);
  });
  it('names each choice that does not fit, and no other', () => {
    const address = { ...NOWHERE, view: 'matrix', order: 'norm', cmap: 'rgb', range: 'tf1', scope: 'run', blend: 0.5 };
    expect(misfits(OPTIONS, colours, address).sort()).toEqual(['blend', 'cmap', 'order', 'scope']);
    expect(misfits(OPTIONS, colours, { ...NOWHERE, cmap: 'rgb', order: 'change', range: 'fixed:2:3' })).toEqual([]);
    expect(misfits(OPTIONS, colours, { ...NOWHERE, range: 'fixed:3:2' })).toEqual(['range']);
    expect(misfits(OPTIONS, colours, { ...NOWHERE, view: 'components', layout: 'OIHW' }).sort()).toEqual([
      'layout',
      'view',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { chartExtent, chartPath, placeOfStep, stepAtPlace, valueAtStep } from './chart';

const chart = { steps: [0, 10, 40], values: [null, 1, 3] };

describe('a chart', () => {
  it('spans the numbers that are there', () => {
    expect(chartExtent(chart)).toEqual({ lo: 1, hi: 3 });
    expect(chartExtent({ steps: [0], values: [null] })).toBeNull();
  });
  it('draws steps where they are, the largest number on top, and gaps as gaps', () => {
    expect(chartPath(chart, 100, 30)).toBe('M25 30h0.01L100 0');
    expect(chartPath({ steps: [0, 1, 2], values: [1, null, 1] }, 10, 8)).toBe('M0 4h0.01M10 4h0.01');
    expect(chartPath({ steps: [], values: [] }, 10, 8)).toBe('');
  });
  it('finds the step under the pointer', () => {
    expect(stepAtPlace(chart.steps, 0.24)).toBe(10);
    expect(stepAtPlace(chart.steps, 0.9)).toBe(40);
    expect(stepAtPlace(chart.steps, -1)).toBe(0);
    expect(stepAtPlace([], 0.5)).toBeNull();
  });
  it('knows where a step is that it does not have', () => {
    expect(placeOfStep(chart.steps, 20)).toBe(0.5);
    expect(placeOfStep(chart.steps, 41)).toBeNull();
    expect(placeOfStep([7], 7)).toBe(0.5);
    expect(valueAtStep(chart, 39)).toBe(1);
    expect(valueAtStep(chart, 5)).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { countSteps, endWords, stepAxis, stepInFileName, stepNumber, stepWords } from './step-axis';

const TIME = new Date(2026, 10, 27, 13, 4, 5, 38).getTime();

describe('the axis of steps', () => {
  it('is steps where the server says nothing else that is known', () => {
    expect(stepAxis({ axis: 'epoch' })).toBe('epoch');
    expect(stepAxis({ axis: 'time' })).toBe('time');
    expect(stepAxis({ axis: 'fortnight' })).toBe('step');
    expect(stepAxis(null)).toBe('step');
  });
  it('is said with each number', () => {
    expect(stepWords('step', 12000)).toBe('step 12\u2009000');
    expect(stepWords('epoch', 3)).toBe('epoch 3');
    expect(stepWords('time', TIME)).toBe('27 Nov 2026, 13:04:05');
    expect(stepNumber('epoch', 3)).toBe('3');
    expect(stepNumber('time', TIME)).toBe('27 Nov 2026, 13:04:05');
  });
  it('tells times of one second apart by their milliseconds', () => {
    expect(stepWords('time', TIME, [TIME, TIME + 900])).toBe('27 Nov 2026, 13:04:05.038');
    expect(stepWords('time', TIME, [TIME - 1000, TIME, TIME + 1000])).toBe('27 Nov 2026, 13:04:05');
  });
  it('is short at the ends of a track', () => {
    expect(endWords('step', [0, 12000])).toEqual(['0', '12\u2009000']);
    expect(endWords('time', [TIME, TIME + 3_600_000])).toEqual(['13:04:05', '14:04:05']);
    expect(endWords('time', [TIME, TIME + 86_400_000])).toEqual(['27 Nov 2026', '28 Nov 2026']);
    expect(endWords('time', [TIME, TIME + 1])).toEqual(['13:04:05.038', '13:04:05.039']);
  });
  it('counts the files whose times these are', () => {
    expect(countSteps('step', 1)).toBe('1 step');
    expect(countSteps('epoch', 2)).toBe('2 epochs');
    expect(countSteps('time', 3)).toBe('3 checkpoints');
  });
  it('has a form for names of files', () => {
    expect(stepInFileName('step', 300)).toBe('step300');
    expect(stepInFileName('epoch', 3)).toBe('epoch3');
    expect(stepInFileName('time', TIME)).toBe('2026-11-27-13-04-05');
  });
});

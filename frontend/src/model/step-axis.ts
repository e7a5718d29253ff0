/** What the numbers of a series count, and how they are said: `step 12 000`, `epoch 3`, `27 Nov 2026, 13:04:05`. */
import { count, grouped } from './format';

/** `time`: milliseconds since 1970, where nothing else is known of a checkpoint. */
export type StepAxis = 'step' | 'epoch' | 'time';

export const stepAxis = (series: { axis: string } | null | undefined): StepAxis =>
  series?.axis === 'epoch' || series?.axis === 'time' ? series.axis : 'step';

/** What one of them is called. A time is that of a file, and it is the files that one counts and goes through. */
export const NOUNS: Record<StepAxis, string> = { step: 'step', epoch: 'epoch', time: 'checkpoint' };

/** `step 300`, `epoch 3`, `27 Nov 2026, 13:04:05`. `among` are the others that it has to be told from. */
export function stepWords(axis: StepAxis, step: number, among: readonly number[] = []): string {
  return axis === 'time' ? timeWords(step, among) : `${axis} ${grouped(step)}`;
}

/** The same where the name of the axis stands beside it: `300`, `3`, `27 Nov 2026, 13:04:05`. */
export function stepNumber(axis: StepAxis, step: number, among: readonly number[] = []): string {
  return axis === 'time' ? timeWords(step, among) : grouped(step);
}

/** The first and the last at the ends of a track, short: of times the part in which they differ. */
export function endWords(axis: StepAxis, [first, last]: [number, number]): [string, string] {
  const [from, to] = [stepNumber(axis, first, [last]), stepNumber(axis, last, [first])];
  if (axis !== 'time') return [from, to];
  const [days, clocks] = [0, 1].map((part) => [from, to].map((words) => words.split(', ')[part] ?? '')) as Pairs;
  return days[0] === days[1] ? clocks : days;
}

type Pairs = [[string, string], [string, string]];

/** `3 steps`, `1 epoch`, `2 checkpoints`. */
export const countSteps = (axis: StepAxis, steps: number): string => count(steps, NOUNS[axis]);

/** For the name of a file: `step300`, `epoch3`, `2026-11-27-13-04-05`. */
export function stepInFileName(axis: StepAxis, step: number): string {
  if (axis !== 'time') return `${axis}${step}`;
  const { year, month, day, clock } = parts(step);
  return `${year}-${two(month + 1)}-${two(day)}-${clock.replaceAll(':', '-')}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function timeWords(time_ms: number, among: readonly number[]): string {
  const { year, month, day, clock, ms } = parts(time_ms);
  const second = Math.floor(time_ms / 1000);
  const isAlike = among.some((other) => other !== time_ms && Math.floor(other / 1000) === second);
  return `${day} ${MONTHS[month]} ${year}, ${clock}${isAlike ? `.${String(ms).padStart(3, '0')}` : ''}`;
}

const two = (part: number): string => String(part).padStart(2, '0');

/** The local date and time. */
function parts(time_ms: number): { year: number; month: number; day: number; clock: string; ms: number } {
  const date = new Date(time_ms);
  return {
    year: date.getFullYear(),
    month: date.getMonth(),
    day: date.getDate(),
    clock: [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':'),
    ms: date.getMilliseconds(),
  };
}

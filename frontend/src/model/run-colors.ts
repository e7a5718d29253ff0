/** The colour of a run. */
import { runHue } from './words';

/** TensorBoard's own colours for runs, in the order in which it gives them; the first differs in the dark. */
const TENSORBOARD = ['#425066', '#12b5cb', '#e52592', '#f9ab00', '#9334e6', '#7cb342', '#e8710a'];
const FIRST_IN_THE_DARK = '#8e98a3';

/** By the position of the run in TensorBoard's list, if that is known; otherwise by its name, so that it is the same on every machine. */
export function runColor(run: string, host: { isDark: boolean; runs: readonly string[] } | null): string {
  const place = host?.runs.indexOf(run) ?? -1;
  if (!host || place < 0) return `hsl(${runHue(run)} 65% 52%)`;
  const color = place % TENSORBOARD.length;
  return color === 0 && host.isDark ? FIRST_IN_THE_DARK : (TENSORBOARD[color] as string);
}

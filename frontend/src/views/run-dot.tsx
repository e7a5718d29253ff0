/** The colour of a run; within TensorBoard it is the one that the run has in other tabs. */
import type { JSX } from 'preact';
import { runColor } from '../model/run-colors';
import { host } from '../state/surroundings';

export function RunDot({ run }: { run: string }): JSX.Element {
  return <span class="dot" style={{ backgroundColor: runColor(run, host.value) }} />;
}

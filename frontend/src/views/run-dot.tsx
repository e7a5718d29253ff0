/** A run's colour; in TensorBoard's tab that which the run has in its other tabs. */
import type { JSX } from 'preact';
import { runColor } from '../model/run-colors';
import { host } from '../state/surroundings';

export function RunDot({ run }: { run: string }): JSX.Element {
  return <span class="dot" style={{ backgroundColor: runColor(run, host.value) }} />;
}

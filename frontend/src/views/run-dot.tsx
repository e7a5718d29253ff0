/** A run's colour; in TensorBoard's tab that which the run has in its other tabs. */
import type { JSX } from 'preact';
import { runColor } from '../model/run-colors';
import { state } from '../state/store';

export function RunDot({ run }: { run: string }): JSX.Element {
  return <span class="dot" style={{ backgroundColor: runColor(run, state.host.value) }} />;
}

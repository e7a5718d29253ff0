/** What is asked of `sheet`, `sheet/info` and `values` for what one looks at. */
import { computed } from '@preact/signals';
import type { Address } from '../model/address';
import { queryString } from '../model/query';
import { currentSeries, landing, state } from './store';

/** The query for one step. The zoom is ours: the server sends one pixel a value, and CSS enlarges. */
export function sheetQuery(address: Address, step: number): string {
  const given = (value: string | number | null): string | number | undefined => value ?? undefined;
  return queryString({
    run: given(address.run),
    tag: given(address.tag),
    step,
    view: given(address.view),
    slice: given(address.slice),
    sample: given(address.sample),
    channels: given(address.channels),
    range: given(address.range),
    scope: given(address.scope),
    cmap: given(address.cmap),
    layout: given(address.layout),
    cols: given(address.cols),
    attempt: given(address.attempt),
    v: given(state.stepsVersion.value),
  });
}

/** The query of the picture that ought to be on the stage; null while that is not known. */
export const wantedQuery = computed<string | null>(() => {
  const at = landing.value;
  if (!currentSeries.value || !at) return null;
  return sheetQuery(state.address.value, at.step);
});

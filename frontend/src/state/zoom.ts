/** Device pixels for one sheet pixel. */
import { computed } from '@preact/signals';
import { fittingZoom } from '../model/geometry';
import { state } from './store';

export const zoomNow = computed<number>(() => {
  const chosen = state.address.value.zoom;
  const info = state.picture.value?.info;
  if (chosen !== null && chosen >= 1) return Math.min(64, chosen);
  return info ? fittingZoom(info, state.stageSize.value, state.devicePixels.value) : 1;
});

/** CSS pixels for one sheet pixel: whole device pixels, so that no edge is blurred. */
export const cssZoom = computed<number>(() => zoomNow.value / state.devicePixels.value);

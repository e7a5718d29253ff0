/** Fetches the numbers of filters and channels once somebody opens a tile or the table. */
import { computed, effect } from '@preact/signals';
import { fetchCharts, fetchDifference, fetchStats } from '../api/client';
import { comparison } from '../model/compare';
import { queryString } from '../model/query';
import { latestOnly } from './latest';
import { stepsVersion } from './lists';
import { valueIn } from './loadable';
import { navigation } from './navigation';
import { awaitCharts, awaitDifference, awaitStats, numbers, takeCharts, takeDifference, takeStats } from './numbers';
import { panels } from './panels';
import { playback } from './playback';
import { pictureSeries, shownPicture } from './stage';

/** A drag asks for no numbers on its way. */
const PAUSE_MS = 120;
/** A chart is renewed no more often than this while its run grows. */
const CHART_PAUSE_MS = 2500;

/** Pictures that were logged encoded have no numbers. */
const isAskedFor = computed<boolean>(() => {
  const wanted = navigation.address.value.tile !== null || panels.overlay.value === 'numbers';
  return wanted && pictureSeries.value?.source === 'tensor';
});

/** The query of the numbers of the tensor on the stage; also that of the CSV. */
export const statsQuery = computed<string | null>(() => {
  const info = shownPicture.value?.info;
  if (!info || pictureSeries.value?.source !== 'tensor') return null;
  const { run, tag, step, attempt } = info;
  const layout = navigation.address.value.layout ?? undefined;
  const v = stepsVersion.value ?? undefined;
  return queryString({ run, tag, step, layout, attempt: attempt || undefined, v });
});

const chartsQuery = computed<string | null>(() => {
  const series = pictureSeries.value;
  if (!series || series.steps < 2) return null;
  const { run, tag, version, steps } = series;
  const layout = navigation.address.value.layout ?? undefined;
  return queryString({ run, tag, steps: 'all', layout, v: `${version}.${steps}` });
});

const differenceQuery = computed<string | null>(() => {
  const info = shownPicture.value?.info;
  if (!info?.minus || comparison(navigation.address.value)?.way !== 'minus') return null;
  const { run, tag, step, minus } = info;
  const layout = navigation.address.value.layout ?? undefined;
  const match = minus.match === 'index' ? undefined : minus.match;
  const other = { minus_run: minus.run, minus_tag: minus.tag, minus_step: minus.step };
  return queryString({ run, tag, step, ...other, match, layout, v: stepsVersion.value ?? undefined });
});

export function keepNumbersCurrent(): void {
  const askStats = latestOnly({ fetch: fetchStats, wait: awaitStats, take: takeStats, pause_ms: PAUSE_MS });
  const askCharts = latestOnly({ fetch: fetchCharts, wait: awaitCharts, take: takeCharts, pause_ms: PAUSE_MS });
  const askDifference = latestOnly({
    fetch: fetchDifference,
    wait: awaitDifference,
    take: takeDifference,
    pause_ms: PAUSE_MS,
  });
  effect(() => {
    if (isAskedFor.value && !playback.playing.value) askStats(statsQuery.value);
  });
  let asked_ms = 0;
  effect(() => {
    const query = isAskedFor.value ? chartsQuery.value : null;
    if (query === null) return;
    const series = pictureSeries.peek();
    const isOther =
      valueIn(numbers.charts.peek())?.tag !== series?.tag || valueIn(numbers.charts.peek())?.run !== series?.run;
    const wait = isOther ? 0 : Math.max(0, asked_ms + CHART_PAUSE_MS - Date.now());
    const due = setTimeout(() => {
      asked_ms = Date.now();
      askCharts(query);
    }, wait);
    return () => clearTimeout(due);
  });
  effect(() => {
    if (!playback.playing.value) askDifference(differenceQuery.value);
  });
}

/** The queries of `sheet`, `sheet/info` and `values` for what the page shows. */
import { computed } from '@preact/signals';
import type { SheetInfo } from '../api/types';
import { type Address, pictureOptions } from '../model/address';
import { comparison } from '../model/compare';
import { needsOtherSteps } from '../model/fits';
import { labelGutter } from '../model/labels';
import { axis } from '../model/layers';
import { type Query, queryString } from '../model/query';
import { fixedRange } from '../model/ranges';
import { currentSeries, currentSteps, lists, shownStep, stepsVersion } from './lists';
import { valueIn } from './loadable';
import { navigation } from './navigation';
import { partner, partnerAt } from './partner';
import { shownPicture } from './stage';

const given = (value: string | number | null): string | number | undefined => value ?? undefined;

/** The choices of a picture that hold for any step and any run. */
export function choicesQuery(address: Address): Query {
  return Object.fromEntries(pictureOptions.map((option) => [option, given(address[option])]));
}

/** The same for the stage, where the page enlarges and labels: the server sends one pixel per value, with gutters for labels. */
function stageQuery(address: Address): Query {
  const series = currentSeries.value;
  const hasLabels = address.labels === 'index' && series !== null;
  return {
    ...choicesQuery(address),
    labels: undefined,
    gutter: hasLabels ? labelGutter(axis(series, 'H') ?? 1) : undefined,
  };
}

/** The version of a picture. One that depends on other steps changes as the series grows, so its version does too. */
function versionOf(address: Address, other: string): string | undefined {
  const version = stepsVersion.value;
  if (version === null) return undefined;
  const options = valueIn(lists.options.value);
  const grows = options !== null && needsOtherSteps(options, address);
  return [version, other, grows ? String(currentSteps.value.length) : ''].filter((part) => part !== '').join('.');
}

/** The query of the stage's picture for one step; null while it is not known what is to be subtracted. */
export const sheetQuery = (address: Address, step: number): string | null =>
  queryAt(address, step, stageQuery(address));

/** The query of the same picture for a download. */
export const plainQuery = (address: Address, step: number): string | null =>
  queryAt(address, step, choicesQuery(address));

function queryAt(address: Address, step: number, choices: Query): string | null {
  const isMinus = comparison(address)?.way === 'minus';
  // A link may name the whole tensor.
  const isNamed = address.minus_tag !== null && address.minus_step !== null;
  const other = isMinus && !isNamed ? partnerAt(step) : null;
  if (isMinus && !isNamed && !other) return null;
  return queryString({
    run: given(address.run),
    tag: given(address.tag),
    step,
    ...choices,
    attempt: given(address.attempt),
    minus_run: given(address.minus_run),
    minus_tag: other && other.tag !== address.tag ? other.tag : given(address.minus_tag),
    minus_step: other ? other.step : given(address.minus_step),
    match: given(address.match),
    v: versionOf(address, other?.version ?? ''),
  });
}

/** The query of the wanted picture; null while it is not known. */
export const wantedQuery = computed<string | null>(() => {
  const at = shownStep.value;
  if (!currentSeries.value || !at) return null;
  return sheetQuery(navigation.address.value, at.step);
});

/** The query of the picture beside it; null while it is not known, or none is wanted. */
export const besideQuery = computed<string | null>(() => {
  const way = comparison(navigation.address.value)?.way;
  const other = partner.value;
  const shown = shownPicture.value;
  if (!other || (way !== 'beside' && way !== 'blink')) return null;
  // Its range is that of the picture on the stage, which must be there first.
  if (!shown || shown.query !== wantedQuery.value) return null;
  const { run, tag, step, version } = other;
  const v = [version || stepsVersion.value, shown.info.step].filter((part) => part !== null).join('.');
  const choices = { ...stageQuery(navigation.address.value), ...sameRange(shown.info), ...samePlaces(shown.info) };
  return queryString({ run, tag, step, ...choices, v });
});

/** The filters of a picture as choices, so that another picture has them at the same positions. */
function samePlaces(info: SheetInfo): Query {
  if (info.order === undefined || info.order === 'index') return {};
  return { order: undefined, channels: info.tiles.map((tile) => tile.channel).join(','), cols: info.cols };
}

/** The ends of a range as choices, so that two pictures share it; nothing if each tile has its own. */
export function sameRange(info: SheetInfo): Query {
  const { lo, hi } = info.range;
  if (info.tile_ranges !== undefined || lo === null || hi === null || lo >= hi) return {};
  return { range: fixedRange(lo, hi), scope: undefined, blend: undefined };
}

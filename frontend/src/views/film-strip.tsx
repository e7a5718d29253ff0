/** Stills of the opened tile at some steps, all in the range on show; a click goes to the step. */
import type { JSX } from 'preact';
import { apiAddress } from '../api/client';
import type { SheetInfo, Tile } from '../api/types';
import { stillChoices, stillOf, stillSteps } from '../model/film';
import { queryString } from '../model/query';
import { tileName } from '../model/words';
import { goToStep } from '../state/actions';
import { momentOf } from '../state/axes';
import { currentSteps, shownStep } from '../state/lists';
import { navigation } from '../state/navigation';
import { choicesQuery, sameRange } from '../state/picture-query';
import { pictureSeries } from '../state/stage';

const MOST = 10;

export function FilmStrip({ info, tile }: { info: SheetInfo; tile: Tile }): JSX.Element | null {
  const address = navigation.address.value;
  const choices = stillChoices(address, info.view, tile);
  const stills = stillSteps(currentSteps.value, MOST);
  const series = pictureSeries.value;
  if (!choices || stills.length < 2 || info.minus || series?.tag !== address.tag) return null;
  // The whole layer's range is that of each still, so that they can be compared.
  const { range, cmap, layout } = choicesQuery(address);
  const same = sameRange(info);
  const scope = info.tile_ranges ? 'tile' : undefined;
  const query = (step: number): string =>
    queryString({
      run: info.run,
      tag: info.tag,
      step,
      cmap,
      layout,
      ...choices,
      range: same.range ?? range,
      scope,
      v: series.version,
    });
  const here = stillOf(stills, shownStep.value?.step ?? 0);
  return (
    <section class="strip" aria-label="Film strip">
      {stills.map((step) => (
        <button
          key={step}
          type="button"
          aria-current={step === here}
          title={momentOf({ ...info, step })}
          onClick={() => goToStep(step)}
        >
          <img
            src={apiAddress('sheet', query(step))}
            alt={`${tileName(info, tile)} at ${momentOf({ ...info, step })}`}
            width={44}
            height={44}
            decoding="async"
          />
        </button>
      ))}
    </section>
  );
}

/** The numbers of the opened filter or channel, and those that look like it. */
import type { JSX } from 'preact';
import { apiAddress } from '../api/client';
import type { SheetInfo, Stats, Tile } from '../api/types';
import { alikeTo, alikeWords, type Fact, factsOf } from '../model/filter-words';
import { count, digits4 } from '../model/format';
import { axis, hasTileASample } from '../model/layers';
import { placeOfChannel } from '../model/tiles';
import { openTile } from '../state/actions';
import { axisOf } from '../state/axes';
import { refusalIn, valueIn } from '../state/loadable';
import { numbers } from '../state/numbers';
import { statsQuery } from '../state/numbers-loader';
import { pictureSeries } from '../state/stage';
import { Icon } from './icons';
import { fileName } from './save-picture';

/** How many similar filters are named at most. */
const SHOWN = 6;

/** The numbers of the series on the stage: of this step, or of an earlier one while these load. */
export function statsOf(info: SheetInfo): Stats | null {
  const stats = valueIn(numbers.stats.value);
  return stats && stats.run === info.run && stats.tag === info.tag ? stats : null;
}

/**
 * Whether the numbers of the whole filter or channel are shown or loading. They are of the tensor; the tile may show
 * a magnitude or a part of it, so the numbers of the tile must not be shown beside them.
 */
export function hasFilterNumbers(info: SheetInfo, tile: Tile): boolean {
  if (hasTileASample(info.view) || pictureSeries.value?.source !== 'tensor' || info.minus) return false;
  if (refusalIn(numbers.stats.value) !== null) return false;
  const stats = statsOf(info);
  return stats === null || stats.each.some((one) => one.index === tile.channel);
}

export function FilterNumbers({ info, tile }: { info: SheetInfo; tile: Tile }): JSX.Element | null {
  if (hasTileASample(info.view) || pictureSeries.value?.source !== 'tensor') return null;
  if (info.minus) return <DifferenceNumbers tile={tile} />;
  const stats = statsOf(info);
  const refusal = refusalIn(numbers.stats.value);
  if (refusal !== null) return <p class="said">{refusal}</p>;
  const entry = stats?.each.find((one) => one.index === tile.channel);
  if (!stats || !entry) return stats?.each_left_out ? <p class="said">{stats.each_left_out}</p> : null;
  return (
    <section class={`facts${stats.step === info.step ? '' : ' old'}`} aria-label="Numbers of the filter">
      {overWhat(info) !== null && <p class="said">{overWhat(info)}</p>}
      <dl class="numbers">
        {factsOf(stats, entry, axisOf(info)).map((fact) => (
          <FactRow key={fact.name} fact={fact} />
        ))}
      </dl>
      <AlikeOnes stats={stats} tile={tile} info={info} />
    </section>
  );
}

/** Says that the numbers are of the whole filter where the tile may show a part of it. */
function overWhat({ view }: SheetInfo): string | null {
  const series = pictureSeries.value;
  if (!series) return null;
  if ((view === 'slice' || view === 'matrix') && (axis(series, 'I') ?? 1) > 1) return 'over all inputs';
  return view === 'maps' && (axis(series, 'N') ?? 1) > 1 ? 'over all samples' : null;
}

const FactRow = ({ fact }: { fact: Fact }): JSX.Element => (
  <div class={fact.hint === null ? '' : 'wide'} title={fact.definition}>
    <dt>{fact.name}</dt>
    <dd>
      {fact.hint !== null && <i>{fact.hint} </i>}
      {fact.value}
    </dd>
  </div>
);

function AlikeOnes({ stats, tile, info }: { stats: Stats; tile: Tile; info: SheetInfo }): JSX.Element | null {
  const alike = stats.per === 'channel' ? stats.twins : stats.duplicates;
  if (!alike) return null;
  if (alike.not_compared !== null) return <p class="said">{alike.not_compared}</p>;
  const found = alikeTo(alike, tile.channel);
  return (
    <p class="said alike" title={alikeWords(stats)}>
      {found.length === 0 ? `no other ${stats.per} looks like it` : 'looks like '}
      {found.slice(0, SHOWN).map(({ index, likeness }) => {
        const place = placeOfChannel(info, index);
        return (
          <button
            key={index}
            type="button"
            class="quiet"
            disabled={place === null}
            onClick={() => place !== null && openTile(place)}
          >
            {likeness < 0 ? `−${index}` : index} ({digits4(likeness)})
          </button>
        );
      })}
      {found.length > SHOWN && `and ${count(found.length - SHOWN, 'other')}`}
    </p>
  );
}

/** The distance of the opened filter from the one that is subtracted. */
function DifferenceNumbers({ tile }: { tile: Tile }): JSX.Element | null {
  const found = valueIn(numbers.difference.value);
  const apart = found?.each.find((one) => one.index === tile.channel);
  if (!found || !apart) return null;
  const facts: Fact[] = [
    { name: 'norm', value: digits4(apart.norm), hint: null, definition: 'L2 norm of the difference' },
    {
      name: 'relative',
      value: digits4(apart.relative_norm),
      hint: null,
      definition: 'norm of the difference / norm of what is subtracted',
    },
    { name: 'cosine', value: digits4(apart.cosine), hint: null, definition: 'cosine of the angle between both' },
    {
      name: 'minus',
      value: `${found.per ?? 'filter'} ${apart.minus_index}`,
      hint: null,
      definition: 'which one is subtracted',
    },
  ];
  return (
    <dl class="numbers">
      {facts.map((fact) => (
        <FactRow key={fact.name} fact={fact} />
      ))}
    </dl>
  );
}

/** The numbers of all filters or channels as CSV. */
export function CsvLink({ info }: { info: SheetInfo }): JSX.Element | null {
  const query = statsQuery.value;
  if (query === null) return null;
  return (
    <a
      class="quiet"
      href={apiAddress('stats', `${query}&format=csv`)}
      download={fileName(info, '.csv')}
      title="The numbers of each filter or channel (CSV)"
    >
      <Icon name="download" />
      CSV
    </a>
  );
}

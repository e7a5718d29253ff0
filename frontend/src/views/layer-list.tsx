/** The series of the chosen run, by layer, in the order of the network. */
import type { JSX } from 'preact';
import { apiAddress } from '../api/client';
import type { Evidence, Series } from '../api/types';
import { count } from '../model/format';
import {
  groupLayers,
  type Layer,
  matches,
  narrow,
  shapeWords,
  shortTag,
  thumbnailQuery,
  undrawable,
} from '../model/layers';
import { queryString } from '../model/query';
import { chooseSeries, goTo } from '../state/actions';
import { currentSeries, rows, state } from '../state/store';
import { useCalm } from './hooks';
import { Icon } from './icons';
import { moveFocus } from './move-focus';

/** A thumbnail follows its run no faster than this. */
const THUMBNAIL_PAUSE_MS = 3000;

export function LayerList(): JSX.Element | null {
  const all = rows(state.series.value);
  if (state.series.value.kind === 'failed') return <p class="hint">{state.series.value.message}</p>;
  if (all.length === 0) return null;
  const layers = groupLayers(all);
  const found = narrow(layers, state.search.value, (layer) => layerText(layer));
  return (
    <section class="layers">
      <h2>
        Layers <span>{found.length < layers.length ? `${found.length} of ${layers.length}` : layers.length}</span>
      </h2>
      <ul data-own-arrows onKeyDown={moveFocus}>
        {found.map((layer) => (
          <LayerGroup key={layer.name} layer={layer} />
        ))}
      </ul>
      <Undrawable all={undrawable(all)} />
    </section>
  );
}

const layerText = (layer: Layer): string => layer.series.map((one) => `${one.tag} ${one.role}`).join(' ');

function LayerGroup({ layer }: { layer: Layer }): JSX.Element {
  const search = state.search.value;
  const found = layer.series.filter((one) => matches(`${one.tag} ${one.role}`, search));
  return (
    <li class="layer">
      <h3>{layer.name}</h3>
      <ul>
        {(found.length > 0 ? found : layer.series).map((series) => (
          <li key={`${series.run}\n${series.tag}`}>
            <SeriesRow series={series} />
          </li>
        ))}
      </ul>
    </li>
  );
}

function SeriesRow({ series }: { series: Series }): JSX.Element {
  const chosen = currentSeries.value?.tag === series.tag;
  return (
    <>
      <button
        type="button"
        class="series"
        aria-current={chosen}
        title={evidenceLines(series).join('\n')}
        onClick={() => chooseSeries(series)}
      >
        <Thumbnail series={series} />
        <span class="name">{shortTag(series)}</span>
        <span class="badge">
          <Icon name={series.role} />
          {series.role}
        </span>
        <span class="shape">{shapeWords(series)}</span>
        <span class="badge">{series.layout}</span>
      </button>
      {chosen && <Details series={series} />}
    </>
  );
}

function Thumbnail({ series }: { series: Series }): JSX.Element {
  const query = useCalm(series.steps > 0 ? queryString(thumbnailQuery(series)) : '', THUMBNAIL_PAUSE_MS);
  if (query === '') return <span class="thumbnail" />;
  return (
    <span class="thumbnail">
      <img
        src={apiAddress('sheet', query)}
        alt=""
        loading="lazy"
        decoding="async"
        fetchpriority="low"
        width={40}
        height={40}
        onError={(event) => event.currentTarget.classList.add('broken')}
        onLoad={(event) => event.currentTarget.classList.remove('broken')}
      />
    </span>
  );
}

/** Why the server thinks so, for the chosen series, and a way to say otherwise. */
function Details({ series }: { series: Series }): JSX.Element {
  return (
    <dl class="details">
      <dt>role</dt>
      <dd>
        {series.role}, {certainty(series.role_from)}
      </dd>
      <dt>layout</dt>
      <dd>
        <LayoutChoice series={series} /> {series.layout_from ? certainty(series.layout_from) : 'not known'}
      </dd>
      <dt>tag</dt>
      <dd>
        {series.tag}, {series.dtype} [{series.shape.join(', ')}], {count(series.steps, 'step')}
      </dd>
    </dl>
  );
}

/** Layouts have one letter an axis, so only those of the right length are offered. */
function LayoutChoice({ series }: { series: Series }): JSX.Element {
  const known = state.options.value?.layout ?? [];
  const fitting = known.filter((layout) => layout.length === series.shape.length);
  if (fitting.length < 2) return <>{series.layout ?? ''}</>;
  const pickLayout = (layout: string): void =>
    goTo({ layout: layout === series.layout ? null : layout, tile: null }, 'push');
  return (
    <select
      aria-label="Layout"
      value={state.address.value.layout ?? series.layout ?? ''}
      onChange={(event) => pickLayout(event.currentTarget.value)}
    >
      {fitting.map((layout) => (
        <option key={layout} value={layout}>
          {layout}
        </option>
      ))}
    </select>
  );
}

const certainty = (from: Evidence): string => `${from.confidence}: ${from.evidence}`;

function evidenceLines(series: Series): string[] {
  const lines = [`${series.tag}, ${series.dtype} [${series.shape.join(', ')}], ${count(series.steps, 'step')}`];
  lines.push(`${series.role}, ${certainty(series.role_from)}`);
  if (series.layout && series.layout_from) lines.push(`${series.layout}, ${certainty(series.layout_from)}`);
  return lines;
}

function Undrawable({ all }: { all: Series[] }): JSX.Element | null {
  if (all.length === 0) return null;
  return (
    <details class="undrawable">
      <summary>{count(all.length, 'tensor')} not drawn</summary>
      <ul>
        {all.map((series) => (
          <li key={series.tag}>
            <span class="name">{series.tag}</span>
            <span class="shape">[{series.shape.join(', ')}]</span>
            <span class="why">{series.problem ?? 'no view for this shape'}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

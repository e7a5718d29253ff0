/** The series of the chosen run, by layer, in the order of the network. */
import type { JSX } from 'preact';
import type { Series } from '../api/types';
import { count } from '../model/format';
import { groupLayers, type Layer, matches, narrow, searchText, undrawable } from '../model/layers';
import { lists } from '../state/lists';
import { loadSkipped } from '../state/lists-loader';
import { problemIn, rows } from '../state/loadable';
import { navigation } from '../state/navigation';
import { panels } from '../state/panels';
import { moveFocus } from './move-focus';
import { SeriesRow } from './series-row';

export function LayerList(): JSX.Element | null {
  const { list } = lists.series.value;
  const problem = problemIn(list);
  if (problem !== null) return <p class="hint">{problem}</p>;
  const all = rows(list);
  if (all.length === 0) return null;
  const layers = groupLayers(all);
  const found = narrow(layers, panels.search.value, (layer) => layerText(layer));
  const stop =
    found.flatMap((layer) => layer.series).find((one) => one.tag === navigation.address.value.tag) ??
    found[0]?.series[0];
  return (
    <section class="layers">
      <h2>
        Layers <span>{found.length < layers.length ? `${found.length} of ${layers.length}` : layers.length}</span>
      </h2>
      <ul data-own-arrows onKeyDown={moveFocus}>
        {found.map((layer) => (
          <LayerGroup key={layer.name} layer={layer} stop={stop} />
        ))}
      </ul>
      <Undrawable all={undrawable(all)} />
    </section>
  );
}

const layerText = (layer: Layer): string => layer.series.map(searchText).join(' ');

/** `stop` is the series that the Tab key reaches; the arrow keys move on from there. */
function LayerGroup({ layer, stop }: { layer: Layer; stop: Series | undefined }): JSX.Element {
  const search = panels.search.value;
  const found = layer.series.filter((one) => matches(searchText(one), search));
  return (
    <li class="layer">
      <h3>{layer.name}</h3>
      <ul>
        {(found.length > 0 ? found : layer.series).map((series) => (
          <li key={`${series.run}\n${series.tag}`}>
            <SeriesRow series={series} isStop={series === stop} />
          </li>
        ))}
      </ul>
    </li>
  );
}

function Undrawable({ all }: { all: Series[] }): JSX.Element | null {
  const first = all[0];
  if (!first) return null;
  const checkpoints = rows(lists.skipped.value).filter(({ run, kind }) => run === first.run && kind === 'checkpoint');
  return (
    <details class="undrawable" onToggle={() => void loadSkipped()}>
      <summary>{count(all.length, 'tensor')} not drawn</summary>
      <ul>
        {all.map((series) => (
          <li key={series.tag}>
            <span class="name">{series.tag}</span>
            <span class="shape">[{series.shape.join(', ')}]</span>
            <span class="why">{series.problem ?? 'no view for this shape'}</span>
          </li>
        ))}
        {checkpoints.map(({ tag, reason }) => (
          <li key={`checkpoint ${tag}`}>
            <span class="name">{tag}</span>
            <span class="why">{reason}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

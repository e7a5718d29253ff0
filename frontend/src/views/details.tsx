/** Role and layout of the chosen series with the evidence, from where it is, and a menu for another layout. */
import type { ComponentChildren, JSX } from 'preact';
import type { Series } from '../api/types';
import { averagesBeside, isAverageTag } from '../model/averages';
import { count } from '../model/format';
import { countSteps, stepAxis } from '../model/step-axis';
import { certainty, operationWords, originWords, roleWords } from '../model/words';
import { compareWithTag } from '../state/compare-actions';
import { lists } from '../state/lists';
import { rows, valueIn } from '../state/loadable';
import { goTo, navigation } from '../state/navigation';

export function Details({ series }: { series: Series }): JSX.Element {
  const { contradictions, note, operation } = series;
  const origin = originWords(series);
  return (
    <dl class="details">
      <Row name="role">
        <b>{roleWords(series)}</b>, {certainty(series.role_from)}
      </Row>
      <Row name="layout">
        <LayoutChoice series={series} /> {series.layout_from ? certainty(series.layout_from) : 'not known'}
      </Row>
      {contradictions.length > 0 && (
        <Row name="but">
          <ul>
            {contradictions.map((phrase) => (
              <li key={phrase}>{phrase}</li>
            ))}
          </ul>
        </Row>
      )}
      {operation && <Row name="layer">{operationWords(operation)}</Row>}
      {note !== null && <Row name="note">{note}</Row>}
      {origin !== null && <Row name="from">{origin}</Row>}
      <Averages series={series} />
      <Row name="tag">
        {series.tag}, {series.dtype} [{series.shape.join(', ')}],{frameWords(series)}{' '}
        {countSteps(stepAxis(series), series.steps)}
      </Row>
    </dl>
  );
}

/** The average of the weights beside them, or the weights of an average: what one wants to compare with. */
function Averages({ series }: { series: Series }): JSX.Element | null {
  const found = averagesBeside(series, rows(lists.series.value.list));
  if (found.length === 0) return null;
  return (
    <Row name={isAverageTag(series.tag) ? 'average of' : 'average'}>
      {found.map(({ tag }) => (
        <button key={tag} type="button" class="plain" onClick={() => compareWithTag(tag)}>
          compare with {tag}
        </button>
      ))}
    </Row>
  );
}

/** ` 96 frames,` where pictures are animated. */
const frameWords = ({ frames }: Series): string => (frames ? ` ${count(frames, 'frame')},` : '');

function Row({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Layouts have one letter per axis, so only those of the right length are offered; pictures have only one. */
function LayoutChoice({ series }: { series: Series }): JSX.Element | null {
  const known = valueIn(lists.options.value)?.layout ?? [];
  const fitting = known.filter((layout) => layout.length === series.shape.length);
  if (fitting.length < 2 || series.source === 'image') return series.layout === null ? null : <b>{series.layout},</b>;
  const pickLayout = (layout: string): void =>
    goTo({ layout: layout === series.layout ? null : layout, tile: null }, 'push');
  return (
    <select
      aria-label="Layout"
      value={navigation.address.value.layout ?? series.layout ?? ''}
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

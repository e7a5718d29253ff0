/** One series in the list: its thumbnail, its shape, and its role and layout as badges. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { apiAddress } from '../api/client';
import type { Evidence, Series } from '../api/types';
import { count } from '../model/format';
import { shapeWords, shortTag, thumbnailQuery } from '../model/layers';
import { queryString } from '../model/query';
import { countSteps, stepAxis } from '../model/step-axis';
import { certainty, originWords, roleWords } from '../model/words';
import { chooseSeries } from '../state/actions';
import { momentOf } from '../state/axes';
import { canCount, countBadge, forgetBadge } from '../state/badges-loader';
import { currentSeries, seriesKey } from '../state/lists';
import { numbers } from '../state/numbers';
import { Details } from './details';
import { useCalm, useInSight } from './hooks';
import { Icon, type IconName } from './icons';

/** A thumbnail is renewed no more often than this while its run grows. */
const THUMBNAIL_PAUSE_MS = 3000;

interface SeriesRowProps {
  series: Series;
  /** Whether the Tab key leads here. */
  isStop: boolean;
}

export function SeriesRow({ series, isStop }: SeriesRowProps): JSX.Element {
  const chosen = currentSeries.value?.tag === series.tag;
  return (
    <>
      <button
        type="button"
        class="series"
        aria-current={chosen}
        tabIndex={isStop ? 0 : -1}
        title={titleLines(series).join('\n')}
        onClick={() => chooseSeries(series)}
      >
        <Thumbnail series={series} />
        <span class="name">{shortTag(series)}</span>
        <Badge icon={roleIcon(series)} from={series.role_from}>
          {roleWords(series)}
        </Badge>
        <span class="shape">{shapeWords(series)}</span>
        {series.layout !== null && (
          <Badge icon="layout" from={series.layout_from}>
            {series.layout}
          </Badge>
        )}
        <Counted series={series} />
        {series.contradictions.length > 0 && (
          <span class="badge against" title={series.contradictions.join('\n')}>
            <Icon name="contradiction" />
            {count(series.contradictions.length, 'contradiction')}
          </span>
        )}
      </button>
      {chosen && <Details series={series} />}
    </>
  );
}

/** How many filters look dead or like another one at the latest step, counted when the row is visible. */
function Counted({ series }: { series: Series }): JSX.Element | null {
  const ref = useRef<HTMLSpanElement>(null);
  const isCounted = canCount(series);
  const inSight = useInSight(ref);
  useEffect(() => {
    if (!isCounted || !inSight) return;
    countBadge(series);
    return () => forgetBadge(series);
  }, [isCounted, inSight, series.last_step, series.version]);
  if (!isCounted) return null;
  const badge = numbers.badges.value.get(seriesKey(series));
  return (
    <span ref={ref} class="badge counted">
      {badge !== undefined && badge.dead > 0 && (
        <span
          title={`look dead at ${momentOf({ ...series, step: badge.step })}: greatest absolute value < 0.01 of the layer’s`}
        >
          <Icon name="dead" /> {badge.dead} dead
        </span>
      )}
      {badge !== undefined && badge.duplicates > 0 && (
        <span
          title={`look like another filter at ${momentOf({ ...series, step: badge.step })}: cosine above 0.95 or below −0.95`}
        >
          <Icon name="twins" /> {count(badge.duplicates, 'duplicate')}
        </span>
      )}
    </span>
  );
}

const roleIcon = ({ role, source }: Series): IconName => (role === 'input' && source === 'image' ? 'inputImage' : role);

interface BadgeProps {
  icon: IconName;
  from: Evidence | null;
  children: ComponentChildren;
}

/** A guess is marked with a small question mark. */
function Badge({ icon, from, children }: BadgeProps): JSX.Element {
  const title = from ? certainty(from) : undefined;
  return (
    <span class="badge" title={title}>
      <Icon name={icon} />
      <span>
        {children}
        {from?.confidence === 'guess' && (
          <>
            <span class="doubt" aria-hidden="true">
              ?
            </span>
            <span class="unseen"> (a guess)</span>
          </>
        )}
      </span>
    </span>
  );
}

function Thumbnail({ series }: { series: Series }): JSX.Element {
  const wanted = series.steps > 0 ? thumbnailQuery(series) : null;
  const query = useCalm(wanted ? queryString(wanted) : '', THUMBNAIL_PAUSE_MS);
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

function titleLines(series: Series): string[] {
  const lines = [
    `${series.tag}, ${series.dtype} [${series.shape.join(', ')}], ${countSteps(stepAxis(series), series.steps)}`,
  ];
  lines.push(`${roleWords(series)}, ${certainty(series.role_from)}`);
  if (series.layout && series.layout_from) lines.push(`${series.layout}, ${certainty(series.layout_from)}`);
  const origin = originWords(series);
  if (origin !== null) lines.push(`from ${origin}`);
  return [...lines, ...series.contradictions.map((phrase) => `but ${phrase}`)];
}

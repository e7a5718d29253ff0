/** The numbers of all filters or channels as a table, also for screen readers. */
import type { JSX } from 'preact';
import type { Stats, StatsEntry } from '../api/types';
import { count, digits4, grouped } from '../model/format';
import { placeOfChannel } from '../model/tiles';
import { openTile } from '../state/actions';
import { momentOf } from '../state/axes';
import { refusalIn } from '../state/loadable';
import { numbers } from '../state/numbers';
import { closeOverlay } from '../state/panels';
import { shownPicture } from '../state/stage';
import { Dialog } from './dialog';
import { CsvLink, statsOf } from './filter-numbers';

type Column = { name: string; title: string; of: (entry: StatsEntry) => string };

const number = (name: string, title: string, key: keyof StatsEntry): Column => ({
  name,
  title,
  of: (entry) => {
    const value = entry[key];
    return typeof value === 'number' ? digits4(value) : '';
  },
});

const COLUMNS: readonly Column[] = [
  number('min', 'least finite value', 'min'),
  number('max', 'greatest finite value', 'max'),
  number('mean', 'mean', 'mean'),
  number('sd', 'standard deviation of the population', 'sd'),
  number('norm', 'L2 norm', 'l2'),
  number('of median', 'norm / median norm', 'rel'),
  number('change', 'norm(now − before) / norm(before)', 'change'),
  number('rotation', '1 − cosine to the first', 'rotation'),
  number('roughness', 'squared neighbour differences / (2 × variance)', 'roughness'),
  number('zeros', 'share of values that are exactly 0', 'zero_share'),
];

export function NumbersSheet(): JSX.Element {
  const info = shownPicture.value?.info;
  const stats = info ? statsOf(info) : null;
  return (
    <Dialog name="numbers" title="Numbers">
      {info && stats ? (
        <>
          <p>{summary(stats)}</p>
          <Table stats={stats} />
          <div class="takeaway">
            <CsvLink info={info} />
          </div>
        </>
      ) : (
        <p>{refusalIn(numbers.stats.value) ?? '…'}</p>
      )}
    </Dialog>
  );
}

function summary(stats: Stats): string {
  const { tag, each, per, tensor, duplicates, twins } = stats;
  const alike = duplicates?.count ?? twins?.count ?? null;
  const dead = each.filter((entry) => entry.dead === true).length;
  return [
    `${tag} at ${momentOf(stats)}: ${count(each.length, per ?? 'filter')}`,
    dead > 0 ? `${dead} look dead` : '',
    alike !== null && alike > 0 ? `${count(alike, 'pair')} look alike` : '',
    tensor.nan > 0 ? `${grouped(tensor.nan)} NaN` : '',
    tensor.inf > 0 ? `${grouped(tensor.inf)} inf` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function Table({ stats }: { stats: Stats }): JSX.Element {
  const info = shownPicture.value?.info;
  const filled = COLUMNS.filter(({ of }) => of(stats.tensor) !== '' || stats.each.some((entry) => of(entry) !== ''));
  const open = (channel: number): void => {
    const place = info ? placeOfChannel(info, channel) : null;
    if (place === null) return;
    closeOverlay();
    openTile(place);
  };
  return (
    <div class="table">
      <table class="all-numbers">
        <thead>
          <tr>
            <th scope="col">{stats.per ?? 'filter'}</th>
            {filled.map(({ name, title }) => (
              <th key={name} scope="col" title={title}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[stats.tensor, ...stats.each].map((entry) => (
            <tr key={entry.index ?? 'all'}>
              <th scope="row">
                {entry.index === undefined ? (
                  'all'
                ) : (
                  <button type="button" class="quiet" onClick={() => open(entry.index ?? 0)}>
                    {entry.index}
                  </button>
                )}
              </th>
              {filled.map(({ name, of }) => (
                <td key={name}>{of(entry)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Averages of the weights that lie beside them, such as an exponential moving average (EMA): by the words of their names. */
import type { Series } from '../api/types';

const WORDS = ['ema', 'swa', 'avg', 'average', 'averaged', 'averages', 'exponentialmovingaverage', 'movingaverage'];

/** Names of containers that say nothing. */
const CONTAINERS = ['state_dict', 'model', 'params', 'net', 'network', 'module'];

const isAverage = (part: string): boolean =>
  part
    .toLowerCase()
    .split(/[_.\- ]/)
    .some((word) => WORDS.includes(word));

type Named = Pick<Series, 'tag' | 'shape' | 'axis'>;

/** The name of a tensor without what says that it is an average, and whether anything does. */
function plain(tag: string): { name: string; isOne: boolean } {
  const parts = tag.split('/');
  const rest = parts.filter((part) => !isAverage(part));
  while (rest.length > 1 && CONTAINERS.includes(rest[0] ?? '')) rest.shift();
  return { name: rest.join('/'), isOne: rest.length > 0 && parts.some(isAverage) };
}

/** The averages of a series of weights among those of its run; for an average, the weights themselves. */
export function averagesBeside<S extends Named>(series: Named, others: readonly S[]): S[] {
  const { name, isOne } = plain(series.tag);
  return others.filter((other) => {
    const found = plain(other.tag);
    const isAlike = other.axis === series.axis && other.shape.join() === series.shape.join();
    return isAlike && found.isOne !== isOne && found.name === name;
  });
}

/** Whether a tag is that of an average. */
export const isAverageTag = (tag: string): boolean => plain(tag).isOne;

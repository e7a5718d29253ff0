/** The server's answers under the names that the page has for them. What they are comes from `schema`, which is generated. */
import type * as schema from './schema';

export type {
  Alike,
  Apart,
  Charts,
  Colormap,
  Difference,
  Evidence,
  Frame,
  Health,
  Operation,
  Options,
  Problem,
  RangeChoices,
  Recipe,
  Recipes,
  Revision,
  Run,
  RunRange,
  Series,
  SheetInfo,
  Stats,
  Steps,
  Tile,
  ViewChoices,
} from './schema';

export type Role = schema.Series['role'];
export type Confidence = schema.Evidence['confidence'];

/** A tag that was logged and is not drawn. */
export type Skipped = schema.SkippedTag;

/** Numbers about the elements of a tensor, a filter or a channel. */
export type StatsEntry = schema.Entry;

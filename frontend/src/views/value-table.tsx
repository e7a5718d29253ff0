/** The numbers of one tile, laid out like its pixels, also for screen readers. */
import type { ComponentChildren, JSX } from 'preact';
import { aligned, commonPower, digits4, inUnits } from '../model/format';
import { extent, pixelValues, type TileValues } from '../model/geometry';
import { clearCursor, pointAt, pointing } from '../state/pointing';

/** The content of a cell, from the one to three numbers of its pixel. */
export type Cell = (numbers: readonly number[]) => ComponentChildren;

interface ValueTableProps {
  values: TileValues;
  /** Place of the tile on its sheet. */
  place: number;
  cell: Cell;
}

export function ValueTable({ values, place, cell }: ValueTableProps): JSX.Element {
  const cursor = pointing.cursor.value;
  const rows = Array.from({ length: values.h }, (_, row) => row);
  const cols = Array.from({ length: values.w }, (_, col) => col);
  return (
    <div class="table">
      <table class={`${cell === byteCells ? 'bytes' : ''}${values.w > 5 ? ' dense' : ''}`}>
        <tbody>
          {rows.map((row) => (
            <tr key={row}>
              {cols.map((col) => {
                const pointed = cursor?.tile === place && cursor.row === row && cursor.col === col;
                return (
                  <td
                    key={col}
                    class={pointed ? 'pointed' : ''}
                    onPointerEnter={() => pointAt({ tile: place, row, col }, 'pointer')}
                    onPointerLeave={clearCursor}
                  >
                    {cell(pixelValues(values, row, col))}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The most columns in which numbers have four digits. */
const FEW_COLUMNS = 5;

/** The common power of ten of the numbers in many narrow columns; null if the columns are wide enough for exponents. */
export const unitOf = (values: TileValues): number | null =>
  values.w <= FEW_COLUMNS ? null : commonPower(largestOf(values), values.w > 7 ? 2 : 3);

function largestOf(values: TileValues): number {
  const found = extent(values.data);
  return found ? Math.max(Math.abs(found.lo), Math.abs(found.hi)) : 0;
}

/** The numbers of one channel, with as many digits as fit. */
export function floatCells(values: TileValues, channel: number): Cell {
  const power = unitOf(values);
  const largest = largestOf(values);
  return (numbers) => {
    const value = numbers[channel];
    if (value === undefined) return digits4(null);
    return power === null ? aligned(value, largest, 4) : inUnits(value, power);
  };
}

/** All bytes of a pixel, one over the other. */
export const byteCells: Cell = (numbers) => numbers.map((number, channel) => <div key={channel}>{number}</div>);

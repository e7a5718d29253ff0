/** The numbers of one tile, laid out as its pixels are; the twin of the picture for those who cannot see it. */
import type { ComponentChildren, JSX } from 'preact';
import { aligned, digits4 } from '../model/format';
import { extent, pixelValues, type TileValues } from '../model/geometry';
import { state } from '../state/store';

/** What stands in the cell of a pixel, from the one to three numbers of the pixel. */
export type Cell = (numbers: readonly number[]) => ComponentChildren;

interface ValueTableProps {
  values: TileValues;
  /** Place of the tile on its sheet. */
  place: number;
  cell: Cell;
}

export function ValueTable({ values, place, cell }: ValueTableProps): JSX.Element {
  const cursor = state.cursor.value;
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
                    onPointerEnter={() => (state.cursor.value = { tile: place, row, col, by: 'pointer' })}
                    onPointerLeave={() => (state.cursor.value = null)}
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

/** One channel's numbers, with as many digits as have room. */
export function floatCells(values: TileValues, channel: number): Cell {
  const found = extent(values.data);
  const largest = found ? Math.max(Math.abs(found.lo), Math.abs(found.hi)) : 0;
  const digits = values.w > 7 ? 2 : values.w > 5 ? 3 : 4;
  return (numbers) => {
    const value = numbers[channel];
    return value === undefined ? digits4(null) : aligned(value, largest, digits);
  };
}

/** All bytes of a pixel, one over the other. */
export const byteCells: Cell = (numbers) => numbers.map((number, channel) => <div key={channel}>{number}</div>);

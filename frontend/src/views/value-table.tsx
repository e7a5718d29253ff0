/** The numbers of one tile, laid out as its pixels are; the twin of the picture for those who cannot see it. */
import type { JSX } from 'preact';
import { aligned, digits4 } from '../model/format';
import { extent, pixelValues, type TileValues } from '../model/geometry';
import { state } from '../state/store';

interface ValueTableProps {
  values: TileValues;
  channel: number;
  /** Place of the tile on its sheet. */
  place: number;
}

export function ValueTable({ values, channel, place }: ValueTableProps): JSX.Element {
  const cursor = state.cursor.value;
  const rows = Array.from({ length: values.h }, (_, row) => row);
  const found = extent(values.data);
  const largest = found ? Math.max(Math.abs(found.lo), Math.abs(found.hi)) : 0;
  const show = (value: number | undefined): string =>
    value === undefined ? digits4(null) : aligned(value, largest, values.w > 7 ? 2 : values.w > 5 ? 3 : 4);
  const cols = Array.from({ length: values.w }, (_, col) => col);
  return (
    <div class="table">
      <table class={values.w > 5 ? 'dense' : ''}>
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
                    {show(pixelValues(values, row, col)[channel])}
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

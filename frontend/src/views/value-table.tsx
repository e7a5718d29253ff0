/** The numbers of one tile, laid out as its pixels are; the twin of the picture for those who cannot see it. */
import type { JSX } from 'preact';
import { digits4 } from '../model/format';
import { pixelValues, type TileValues } from '../model/geometry';
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
                    {digits4(pixelValues(values, row, col)[channel] ?? null)}
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

/** One tile as a PNG, enlarged by a whole number, as it is on the page. */
import type { Picture } from '../api/client';
import type { SheetInfo, Tile } from '../api/types';
import { stepInFileName } from '../model/step-axis';
import { axisOf } from '../state/axes';

/** A saved tile is at least about this wide, so that it can be used in a paper. */
const SAVED_PX = 256;

export function savePicture(picture: Picture, tile: Tile): void {
  const zoom = Math.max(1, Math.floor(SAVED_PX / Math.max(tile.w, tile.h)));
  const canvas = document.createElement('canvas');
  canvas.width = tile.w * zoom;
  canvas.height = tile.h * zoom;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.imageSmoothingEnabled = false;
  context.drawImage(picture.bitmap, tile.x, tile.y, tile.w, tile.h, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => {
    if (!blob) return;
    const address = URL.createObjectURL(blob);
    const link = document.createElement('a');
    link.href = address;
    link.download = fileName(picture.info, `-${tile.channel}.png`);
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }, 'image/png');
}

/** `conv1-weights-step300.npy`, `conv1-weights-epoch3.npy` */
export function fileName(info: SheetInfo, ending: string): string {
  return `${info.tag.replaceAll('/', '-')}-${stepInFileName(axisOf(info), info.step)}${ending}`;
}

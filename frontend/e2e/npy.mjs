/** A reader of NPY files that shares nothing with the page's own. */
export function readNpy(bytes) {
  const view = new DataView(bytes);
  const length = view.getUint16(8, true);
  const header = new TextDecoder('latin1').decode(new Uint8Array(bytes, 10, length));
  const [, descr] = header.match(/'descr': '([^']+)'/);
  const shape = header
    .match(/'shape': \(([^)]*)\)/)[1]
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  if (descr !== '<f4') throw new Error(`the tensor is ${descr}, and this reader knows <f4 only`);
  const at = (...place) => {
    if (place.length !== shape.length) throw new Error(`a place of ${place.length} in a shape of ${shape.length}`);
    const offset = place.reduce((sum, index, axis) => sum * shape[axis] + index, 0);
    return view.getFloat32(10 + length + 4 * offset, true);
  };
  return { shape, at };
}

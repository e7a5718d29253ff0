/** Numbers and times in words. */

/** Four significant digits, with a real minus sign; very large and very small ones with an exponent. */
export function digits4(value: number | null): string {
  if (value === null) return '–';
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+inf' : '−inf';
  if (value === 0) return '0';
  const size = Math.abs(value);
  // Rounding turns 9999.96 into 10000, so the limit is slightly below ten thousand.
  const text = size < 1e-4 || size >= 9999.5 ? exponent(value) : value.toPrecision(4);
  return text.replace('-', '−');
}

function exponent(value: number, decimals = 3): string {
  const [mantissa = '', power = ''] = value.toExponential(decimals).split('e');
  return `${mantissa}e${power.replace('+', '').replace('-', '−')}`;
}

/** Numbers that stand in one column: as many decimals as give the largest of them some digits, so that they line up. */
export function aligned(value: number, largest: number, digits: number): string {
  if (!Number.isFinite(value)) return digits4(value);
  if (largest === 0) return '0';
  const decimals = digits - 1 - Math.floor(Math.log10(largest));
  if (decimals > 7 || decimals < -2) return exponent(value, digits - 1).replace('-', '−');
  return value.toFixed(Math.max(0, decimals)).replace('-', '−');
}

/** The power of ten in which the largest of some numbers has so many digits before the point. */
export function commonPower(largest: number, digits: number): number {
  if (largest === 0) return 0;
  const power = Math.floor(Math.log10(largest)) - digits + 1;
  // Rounding may carry 99.96 over, to one digit more.
  return Math.round(largest / 10 ** power) >= 10 ** digits ? power + 1 : power;
}

/** The number in units of a power of ten, without decimals: short enough for a column. */
export function inUnits(value: number, power: number): string {
  if (!Number.isFinite(value)) return digits4(value);
  // The divisor is a whole power of ten, which a float holds exactly, so that 0.7 is 700 thousandths.
  const units = Math.round(power < 0 ? value * 10 ** -power : value / 10 ** power);
  return String(units === 0 ? 0 : units).replace('-', '−');
}

/** A number for an input box: short, and read back to the same float32. */
export function plain(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** 1234567 -> 1,234,567 with thin spaces, so that steps can be read. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
}

/** 1 file, 2 files. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** Wall time, with the date where it is not today's. */
export function clock(seconds: number | null, now: Date): string {
  if (seconds === null) return '';
  const then = new Date(seconds * 1000);
  const two = (part: number): string => String(part).padStart(2, '0');
  const time = `${two(then.getHours())}:${two(then.getMinutes())}:${two(then.getSeconds())}`;
  if (then.toDateString() === now.toDateString()) return time;
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${time}`;
}

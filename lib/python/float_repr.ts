/**
 * A float's text as Python's `repr` gives it.
 *
 * @module
 */

/**
 * Writes a float as Python does: the shortest digits that read back as the same
 * number, `.0` where it is whole, an exponent of at least two digits below 1e-4
 * and from 1e16 on (CPython, `float_repr_style` "short").
 *
 * @param value Any number.
 * @returns Its text; `nan`, `inf` and `-inf` for what has no digits.
 */
export function floatRepr(value: number): string {
  const size = Math.abs(value);
  if (size < 1e16) {
    if (Number.isInteger(value)) {
      return value === 0 && 1 / value < 0 ? "-0.0" : `${value}.0`;
    }
    // Both languages print the same digits; only the notation differs.
    if (size >= 1e-4) return `${value}`;
    return repeatExponent(`${value}`);
  }
  if (size < 1e21) return withExponent(`${value}`);
  if (value !== value) return "nan";
  if (size === Infinity) return value < 0 ? "-inf" : "inf";
  return `${value}`;
}

/** `1.5e-7` to `1.5e-07`; `0.000015` to `1.5e-05`. */
function repeatExponent(text: string): string {
  const at = text.indexOf("e-");
  if (at >= 0) {
    return at + 3 === text.length
      ? `${text.slice(0, at)}e-0${text[at + 2]}`
      : text;
  }
  const sign = text[0] === "-" ? "-" : "";
  const point = sign.length + 2;
  let first = point;
  while (text.charCodeAt(first) === 48) first++;
  const digits = text.slice(first);
  const exponent = first - point + 1;
  return `${sign}${digits[0]}${
    digits.length > 1 ? `.${digits.slice(1)}` : ""
  }e-0${exponent}`;
}

/** `12000000000000000` to `1.2e+16`. */
function withExponent(text: string): string {
  const sign = text[0] === "-" ? "-" : "";
  let end = text.length;
  while (text.charCodeAt(end - 1) === 48) end--;
  const first = sign.length;
  const fraction = end > first + 1 ? `.${text.slice(first + 1, end)}` : "";
  return `${sign}${text[first]}${fraction}e+${text.length - first - 1}`;
}

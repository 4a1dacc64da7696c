// How a declared number is spread over a knob, and how it is written. All facts come from the declaration in Python.

/**
 * @typedef {object} Spec  A number as `widgets/describe.py` describes it.
 * @property {number} low
 * @property {number} high
 * @property {number} default
 * @property {"linear"|"log"|"fader"} taper
 * @property {boolean} whole
 * @property {string} symbol
 * @property {[string, number][]} suffixes
 * @property {boolean} silent  whether the lowest value is silence
 * @property {string} label
 * @property {string} help
 */

/** A fader's amplitude goes with the cube of its way, 60 dB a decade; slower where much gain lies above 0 dB. */
const fader = (spec) => Math.max(60, 3 * spec.high);

/** Where `value` stands between 0 and 1. */
export function position(spec, value) {
  if (spec.taper === "log") return Math.log(value / spec.low) / Math.log(spec.high / spec.low);
  if (spec.taper === "fader") {
    const end = 10 ** ((spec.low - spec.high) / fader(spec));
    return (10 ** ((value - spec.high) / fader(spec)) - end) / (1 - end);
  }
  return (value - spec.low) / (spec.high - spec.low);
}

/** The inverse; the ends are exact. */
export function valueAt(spec, place) {
  if (place <= 0) return spec.low;
  if (place >= 1) return spec.high;
  let value;
  if (spec.taper === "log") value = spec.low * (spec.high / spec.low) ** place;
  else if (spec.taper === "fader") {
    const end = 10 ** ((spec.low - spec.high) / fader(spec));
    value = spec.high + fader(spec) * Math.log10(end + place * (1 - end));
  } else value = spec.low + place * (spec.high - spec.low);
  return spec.whole ? Math.round(value) : tidy(spec, value);
}

/** No more digits than a hand can set: a thousandth of the value, or of the whole way. */
function tidy(spec, value) {
  const fine = spec.taper === "log" ? Math.abs(value) / 1000 : (spec.high - spec.low) / 10000;
  const digits = Math.max(0, Math.min(12, Math.ceil(-Math.log10(fine || 1e-6))));
  return Math.min(spec.high, Math.max(spec.low, Number(value.toFixed(digits))));
}

/** The value as a person reads it, such as "1.2 kHz". */
export function words(spec, value) {
  if (value === null || value === undefined) return "auto";
  if (spec.silent && value <= spec.low) return `-∞ ${spec.symbol}`;
  let number = value, unit = spec.symbol;
  for (const [suffix, factor] of spec.suffixes) {
    if (Math.abs(value) >= factor) { number = value / factor; unit = suffix; }
  }
  const size = Math.abs(number);
  const decimals = spec.whole && unit === spec.symbol ? 0 : size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const text = (Math.abs(number) < 0.5 * 10 ** -decimals ? 0 : number).toFixed(decimals);
  const short = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  const signed = unit === "dB" && number > 0 && spec.low < 0 ? `+${short}` : short;
  return ["", "%", ":1", "°"].includes(unit) ? signed + unit : `${signed} ${unit}`;
}

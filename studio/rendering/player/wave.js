// Pictures of sound on a canvas: outline, spectrum and loudness over one time axis.

/** Seconds as minutes and seconds. */
export function clock(seconds, digits = 0) {
  const whole = Math.max(0, seconds), minutes = Math.floor(whole / 60);
  return `${minutes}:${(whole - minutes * 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0")}`;
}

/** A canvas as sharp as the screen; gives its context and its size in CSS pixels. */
export function sharp(canvas) {
  const ratio = globalThis.devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/**
 * The outline of a sound.
 * @param {Int8Array} peaks  lowest and highest of every `step` frames, as 127ths
 * @param {[number, number]} view  first frame and the one after the last
 */
export function drawWave({ context, width, height }, peaks, step, view, colour, middle = height / 2, size = height / 2 - 2) {
  context.fillStyle = colour;
  const perPixel = (view[1] - view[0]) / width, count = peaks.length / 2;
  for (let x = 0; x < width; x++) {
    const from = (view[0] + x * perPixel) / step;
    if (from >= count) break;
    const to = Math.min(count, Math.max(from + 1, from + perPixel / step));
    let low = 127, high = -128;
    for (let index = Math.floor(from); index < to; index++) {
      low = Math.min(low, peaks[2 * index]);
      high = Math.max(high, peaks[2 * index + 1]);
    }
    const top = middle - (high / 127) * size, bottom = middle - (low / 127) * size;
    context.fillRect(x, top, 1, Math.max(1, bottom - top));
  }
}

/** Seconds between the marks of a time axis of this many pixels. */
export function timeStep(seconds, width) {
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((step) => (seconds / step) * 56 <= width) ?? 1800;
}

// The transport: plays several tracks from pieces that come as they are made, in loops without gaps, and goes over to
// newer sound at the same place with a crossfade.

const AHEAD = 0.7; // seconds that are scheduled: long enough for a busy page, short enough to change its mind
const SOON = 0.012; // seconds from now at which a change can begin
const FADE = 0.01; // seconds of a crossfade
const TICK = 40; // ms
const PATIENCE_MS = 1500; // after which a context that does not run is told

const SILENT = "The browser gives no sound: it finds no sound device, or does not let this page play yet. Press Play again.";

const deckContexts = (globalThis.__mirepoixAudio ??= new Map());

/** The one audio context of this page for a sample rate. */
function contextFor(rate) {
  if (!deckContexts.has(rate)) deckContexts.set(rate, new AudioContext({ sampleRate: rate, latencyHint: "interactive" }));
  return deckContexts.get(rate);
}

/** Pieces of one track, newest first where they overlap. */
class Reel {
  constructor() { this.pieces = []; }

  insert(piece) {
    this.pieces = this.pieces.filter((old) => !(old.version <= piece.version && old.start >= piece.start && old.end <= piece.end));
    this.pieces.push(piece);
    this.pieces.sort((one, other) => other.version - one.version);
  }

  /** What is heard at a frame, and up to which frame. */
  at(frame) {
    const index = this.pieces.findIndex((piece) => piece.start <= frame && frame < piece.end);
    const newer = index < 0 ? this.pieces : this.pieces.slice(0, index);
    let end = index < 0 ? Infinity : this.pieces[index].end;
    for (const piece of newer) if (piece.start > frame) end = Math.min(end, piece.start);
    return { piece: this.pieces[index] ?? null, end };
  }

  has(version, frame) {
    return this.pieces.some((piece) => piece.version >= version && piece.start <= frame && frame < piece.end);
  }

  /** Forget what is far from a place. */
  prune(frame, most, version) {
    let kept = 0;
    const far = (piece) => Math.abs((piece.start + piece.end) / 2 - frame);
    const order = [...this.pieces].sort((one, other) => far(one) - far(other));
    this.pieces = order.filter((piece) => (kept += piece.end - piece.start) <= most || piece.version > version)
      .sort((one, other) => other.version - one.version);
  }
}

export class Deck {
  /**
   * @param {number} rate  Hz
   * @param {(track: number, start: number, frames: number, version: number) => void} ask  wants a piece; `insert` brings it
   */
  constructor(rate, ask) {
    this.rate = rate;
    this.frames = 0;
    this.version = 0;
    this.chunk = rate; // frames that are asked for at once
    this.kept = 90; // seconds of decoded sound, for each track
    this.ask = 6; // seconds that are asked for beyond the place that is heard
    this.playing = false;
    this.loop = null; // [first frame, frame after the last]
    this.tracks = [];
    this.waiting = false; // whether it plays silence because sound has not come
    this.onchange = () => {};
    this.onsilent = () => {}; // (why nothing can be heard; "" once it can)
    this.onfresh = () => {}; // (version, seconds until it is heard)
    this.onpiece = () => {}; // (the message that brings a piece)
    this._ask = ask;
    this._asked = new Map();
    this._frame = 0; // where it stands while it does not play
    this._spans = []; // what was scheduled: {time, frame, length}
    this._sources = [];
    this._heard = 0;
    this._gain = 1;
  }

  /** The audio context, made when it is first needed: browsers want a click before that. */
  get context() {
    if (!this._context) {
      this._context = contextFor(this.rate);
      this._out = this._context.createGain();
      this._out.gain.value = this._gain;
      this._out.connect(this._context.destination);
    }
    return this._context;
  }

  /** The song has so many frames and tracks, in this version; where a track keeps its name it keeps its level. */
  setSong(frames, names, version) {
    if (version < this.version) return;
    this.frames = frames;
    this.version = version;
    this.tracks = names.map((name, index) => this.tracks[index]?.name === name ? this.tracks[index]
      : { name, reel: new Reel(), level: 1, on: index === 0, gain: null, meter: null });
    if (this.loop && this.loop[1] > frames) this.loop = [Math.min(this.loop[0], Math.max(0, frames - 1)), frames];
    if (!this.playing) this._frame = Math.min(this._frame, Math.max(0, frames - 1));
    this.onchange();
  }

  /** A piece has come; of its buffer, the first `lead` frames are not meant to be heard. */
  insert(track, version, start, buffer, lead = 0, length = buffer.length - lead) {
    const reel = this.tracks[track]?.reel;
    if (!reel) return;
    this._asked.delete(`${track}:${start}:${version}`);
    const piece = { version, start, end: start + length, buffer, lead };
    reel.insert(piece);
    reel.prune(this.position, this.kept * this.rate, this.version);
    if (this.playing && this._matters(piece, track)) this._turnOver();
  }

  /** Whether a piece is newer than what is scheduled to be heard soon. */
  _matters(piece, track) {
    const now = this.context.currentTime + SOON;
    return this._spans.some(({ time, frame, length, versions }) => {
      const end = time + length / this.rate;
      if (end <= now) return false;
      const from = frame + Math.max(0, now - time) * this.rate;
      return (versions[track] ?? -1) < piece.version && piece.start < frame + length && piece.end > from;
    });
  }

  /** Where it is, in frames. */
  get position() {
    if (!this.playing) return this._frame;
    const now = this.context.currentTime;
    const span = this._spans.find(({ time, length }) => now < time + length / this.rate) ?? this._spans.at(-1);
    return span ? Math.max(span.frame, Math.round(span.frame + (now - span.time) * this.rate)) : this._frame;
  }

  async play() {
    if (this.playing || this._waking || !this.frames) return;
    this._waking = true;
    const running = await this._wake();
    this._waking = false;
    this.onsilent(running ? "" : SILENT);
    if (!running || this.playing) return;
    if (this._frame >= this.frames - 1) this._frame = 0;
    if (this.loop && (this._frame < this.loop[0] || this._frame >= this.loop[1])) this._frame = this.loop[0];
    this.playing = true;
    this._begin(this.context.currentTime + SOON, this._frame);
    this._clock = setInterval(() => this._tick(), TICK);
    this.onchange();
  }

  /** Whether the context runs; without a sound device some browsers wait for ever, without a word. */
  async _wake() {
    if (this.context.state === "running") return true;
    await Promise.race([this.context.resume().catch(() => {}), new Promise((done) => setTimeout(done, PATIENCE_MS))]);
    return this.context.state === "running";
  }

  pause() {
    if (!this.playing) return;
    this._frame = Math.min(this.position, this.frames - 1);
    this._stop();
    this.onchange();
  }

  seek(frame) {
    const to = Math.round(Math.min(Math.max(0, frame), Math.max(0, this.frames - 1)));
    if (this.playing) this._begin(this.context.currentTime + SOON, to);
    else this._frame = to;
    this.onchange();
  }

  setLoop(loop) {
    this.loop = loop && loop[1] - loop[0] > this.rate / 50 ? [Math.round(loop[0]), Math.round(loop[1])] : null;
    if (this.playing) this._turnOver();
    this.onchange();
  }

  /** The level of everything, as a factor. */
  setGain(gain) {
    this._gain = gain;
    if (this._out) this._out.gain.setTargetAtTime(gain, this.context.currentTime, FADE);
  }

  /** Whether a track is heard, and its level as a factor. */
  setTrack(index, on, level = 1) {
    const track = this.tracks[index];
    if (!track) return;
    const begins = on && !track.on;
    Object.assign(track, { on, level });
    if (track.gain) track.gain.gain.setTargetAtTime(on ? level : 0, this.context.currentTime, FADE);
    if (begins && this.playing) this._turnOver();
  }

  /** The peak of what a track plays now, from 0 to 1 and over. */
  peak(index) {
    const meter = this.tracks[index]?.meter;
    if (!meter || !this.playing) return 0;
    meter.getFloatTimeDomainData((this._samples ??= new Float32Array(meter.fftSize)));
    let top = 0;
    for (const sample of this._samples) top = Math.max(top, Math.abs(sample));
    return top;
  }

  close() {
    this._stop();
    this._out?.disconnect();
    this.tracks = [];
  }

  _stop() {
    this.playing = false;
    clearInterval(this._clock);
    this._cut(this._context ? this._context.currentTime : 0);
    this._spans = [];
  }

  /** Play on at a time from a frame, over whatever was scheduled. */
  _begin(time, frame) {
    this._cut(time);
    this._spans = this._spans.filter((span) => span.time < time)
      .map((span) => ({ ...span, length: Math.min(span.length, (time - span.time) * this.rate) }));
    this._next = { time, frame, fresh: true };
    this._tick();
  }

  /** Schedule anew, as the same song goes on. */
  _turnOver() {
    const time = this.context.currentTime + SOON;
    const span = this._spans.find((each) => time < each.time + each.length / this.rate);
    if (!span) return;
    this._begin(time, Math.round(span.frame + (time - span.time) * this.rate));
  }

  _cut(time) {
    for (const source of this._sources) {
      if (source.end <= time) continue;
      source.gain.gain.cancelScheduledValues(time);
      source.gain.gain.setValueAtTime(1, time);
      source.gain.gain.linearRampToValueAtTime(0, time + FADE);
      try { source.node.stop(time + FADE); } catch { /* it has ended by itself */ }
    }
    this._sources = this._sources.filter((source) => source.end > (this._context?.currentTime ?? 0));
  }

  _tick() {
    const now = this.context.currentTime;
    this._spans = this._spans.filter((span) => span.time + span.length / this.rate > now - 0.2);
    this._sources = this._sources.filter((source) => source.end > now);
    const last = this._spans.at(-1);
    if (!this._next && (!last || last.time + last.length / this.rate <= now)) {
      this._frame = 0;
      this._stop();
      this.onchange();
      return;
    }
    if (this._next && this._next.time < now) this._next.time = now + SOON; // the page was asleep
    this._fetch();
    this.waiting = false;
    while (this._next && this._next.time < now + AHEAD) this._schedule();
  }

  _schedule() {
    const { time, frame, fresh } = this._next;
    const stop = this.loop && frame < this.loop[1] ? this.loop[1] : this.frames;
    let end = Math.min(stop, frame + Math.round(AHEAD * this.rate / 2));
    const heard = this.tracks.map((track, index) => ({ track, index })).filter(({ track }) => track.on);
    const found = heard.map(({ track }) => track.reel.at(frame));
    for (const each of found) end = Math.min(end, each.end);
    const length = end - frame;
    if (length > 0) {
      const versions = {};
      heard.forEach(({ track, index }, order) => {
        const { piece } = found[order];
        versions[index] = piece ? piece.version : -1;
        if (piece) this._source(track, piece, frame, length, time, fresh);
        else this.waiting = true;
        if (piece && piece.version > this._heard) {
          this._heard = piece.version;
          this.onfresh(piece.version, time - this.context.currentTime);
        }
      });
      this._spans.push({ time, frame, length, versions });
    }
    if (end >= stop && !(this.loop && stop === this.loop[1])) {
      this._next = null; // the song is over
      return;
    }
    const wrapped = this.loop && end === this.loop[1];
    this._next = { time: time + length / this.rate, frame: wrapped ? this.loop[0] : end, fresh: false };
  }

  _source(track, piece, frame, length, time, fresh) {
    if (!track.gain) {
      track.gain = this.context.createGain();
      track.gain.gain.value = track.on ? track.level : 0;
      track.meter = this.context.createAnalyser();
      track.meter.fftSize = 1024;
      track.gain.connect(track.meter);
      track.gain.connect(this._out);
    }
    const node = this.context.createBufferSource(), gain = this.context.createGain();
    node.buffer = piece.buffer;
    node.connect(gain).connect(track.gain);
    if (fresh) {
      gain.gain.setValueAtTime(0, time);
      gain.gain.linearRampToValueAtTime(1, time + FADE);
    }
    node.start(time, (frame - piece.start + piece.lead) / this.rate, length / this.rate);
    node.onended = () => gain.disconnect();
    this._sources.push({ node, gain, end: time + length / this.rate });
  }

  /** Ask for what will be heard next and is not there in the newest version. */
  _fetch() {
    const now = performance.now();
    let frame = this.position, left = this.ask * this.rate;
    while (left > 0) {
      const stop = this.loop && frame < this.loop[1] ? this.loop[1] : this.frames;
      const start = Math.floor(frame / this.chunk) * this.chunk;
      const end = Math.min(start + this.chunk, this.frames);
      this.tracks.forEach((track, index) => {
        if (!track.on || track.reel.has(this.version, frame)) return;
        const key = `${index}:${start}:${this.version}`;
        if (now - (this._asked.get(key) ?? -1e9) < 3000) return;
        this._asked.set(key, now);
        this._ask(index, start, end - start, this.version);
      });
      left -= Math.max(1, Math.min(end, stop) - frame);
      frame = Math.min(end, stop);
      if (frame >= stop) {
        if (!this.loop) break;
        frame = this.loop[0];
        left -= 1;
      }
    }
  }

  /** Have the beginning ready before somebody presses play. */
  warm() { if (!this.playing && this.frames) this._fetch(); }
}

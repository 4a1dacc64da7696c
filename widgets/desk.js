// The desk of a widget: its deck, fed by messages from Python. It belongs to the model, so it plays on while views
// come and go, and all views show the same.
import { Deck } from "../studio/rendering/player/deck.js";
import { applyMixer, makeDesk } from "../studio/rendering/player/view.js";

const widgetDesks = (globalThis.__mirepoixDesks ??= new Map());

/** The desk of a model; `initialize` makes it, views find it. */
export function deskOf(model) {
  return widgetDesks.get(model.get("key"));
}

/** Make the desk of a model; gives its end. */
export function openDesk(model) {
  const deck = new Deck(model.get("rate"), (track, start, frames, version) => model.send({ kind: "want", track, start, frames, version }));
  const desk = makeDesk(deck);
  widgetDesks.set(model.get("key"), desk);
  const told = (message, buffers) => {
    if (message.kind === "song") {
      deck.setSong(message.frames, message.tracks, message.version);
      applyMixer(desk);
      desk.changed();
      if (deck.playing) deck._tick(); else deck.warm();
    } else if (message.kind === "piece") {
      deck.onpiece(message);
      deck.insert(message.track, message.version, message.start, decodePcm(deck, buffers[0], message.channels));
    } else if (message.kind === "picture") {
      const picture = { peaks: new Int8Array(bytesOf(buffers[0]).buffer), step: message.step, loudness: message.loudness, columns: message.columns };
      desk.pictures[message.track] = picture;
      if (buffers[1]?.byteLength) {
        createImageBitmap(new Blob([bytesOf(buffers[1])], { type: "image/png" })).then((image) => { picture.spectrum = image; desk.changed(); });
      }
      desk.changed();
    } else if (message.kind === "state") {
      desk.state = message.text;
      desk.bad = message.bad;
      desk.changed();
    } else if (message.kind === "transport") {
      if (message.do === "play") deck.play();
      else if (message.do === "pause") deck.pause();
      else if (message.do === "seek") deck.seek(message.frame);
      else if (message.do === "loop") deck.setLoop(message.loop);
    } else if (message.kind === "gain") deck.setGain(message.gain);
  };
  model.on("msg:custom", told);
  model.send({ kind: "hello" });
  return () => { model.off("msg:custom", told); deck.close(); widgetDesks.delete(model.get("key")); };
}

function bytesOf(view) {
  return new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength).slice();
}

/** Interleaved 16-bit samples as a sound. */
function decodePcm(deck, view, channels) {
  const samples = new Int16Array(bytesOf(view).buffer), frames = samples.length / channels;
  const buffer = new AudioBuffer({ numberOfChannels: channels, length: frames, sampleRate: deck.rate });
  for (let channel = 0; channel < channels; channel++) {
    const out = buffer.getChannelData(channel);
    for (let index = 0, at = channel; index < frames; index++, at += channels) out[index] = samples[at] / 32767;
  }
  return buffer;
}

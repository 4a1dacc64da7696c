// The page of `studio player`: the pieces of sound lie in the page itself, and are decoded shortly before they sound.
import { Deck } from "./deck.js";
import { applyMixer, makeDesk, playerView } from "./view.js";

const song = JSON.parse(document.getElementById("song").textContent);
const decoder = new OfflineAudioContext(2, 1, song.rate);

function bytesOfText(text) {
  const plain = atob(text), bytes = new Uint8Array(plain.length);
  for (let index = 0; index < plain.length; index++) bytes[index] = plain.charCodeAt(index);
  return bytes;
}

async function bring(track, start) {
  const index = Math.round(start / song.chunk);
  const element = document.getElementById(`p${track}-${index}`);
  if (!element) return; // not read yet, or over
  const whole = await decoder.decodeAudioData(bytesOfText(element.textContent).buffer);
  const lead = index ? song.lead : 0, length = Math.min(song.chunk, whole.length - lead);
  if (length <= 0) return;
  const piece = new AudioBuffer({ numberOfChannels: whole.numberOfChannels, length, sampleRate: song.rate });
  for (let channel = 0; channel < whole.numberOfChannels; channel++) {
    piece.copyToChannel(whole.getChannelData(channel).subarray(lead, lead + length), channel);
  }
  deck.insert(track, 1, start, piece);
}

const deck = new Deck(song.rate, (track, start) => bring(track, start));
deck.chunk = song.chunk;
deck.kept = 14; // every second of thirteen tracks is 5 MB
const desk = makeDesk(deck);
deck.setSong(song.frames, song.tracks, 1);
desk.pictures = song.pictures.map(({ peaks, spectrum, ...others }) => {
  const picture = { ...others, peaks: new Int8Array(bytesOfText(peaks).buffer) };
  if (spectrum) {
    createImageBitmap(new Blob([bytesOfText(spectrum)], { type: "image/png" })).then((image) => { picture.spectrum = image; desk.changed(); });
  }
  return picture;
});
const view = playerView(desk, { label: song.title || "Player" });
document.getElementById("player").append(view.el);
applyMixer(desk);
view.draw();
deck.warm();
globalThis.player = desk;

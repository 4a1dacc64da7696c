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

const packed = new Map(); // pieces that have been taken out of the page

/** Take the pieces out of the page, a few at a time: as text they need a third more, and the page keeps them twice. */
function pack(left) {
  let element;
  do {
    element = document.querySelector("script[id^=p]");
    if (!element) return;
    packed.set(element.id, new Blob([bytesOfText(element.textContent)]));
    element.remove();
  } while (left.timeRemaining() > 4);
  requestIdleCallback(pack);
}
globalThis.requestIdleCallback ??= (work) => setTimeout(() => work({ timeRemaining: () => 0 }), 20);
addEventListener("load", () => requestIdleCallback(pack));

/** The bytes of a piece; nothing when it has not been read yet, or there is none. */
async function bytesOfPiece(id) {
  const element = document.getElementById(id);
  if (element) return bytesOfText(element.textContent).buffer;
  return packed.get(id)?.arrayBuffer();
}

async function bring(track, start) {
  const index = Math.round(start / song.chunk);
  const bytes = await bytesOfPiece(`p${track}-${index}`);
  if (!bytes) return;
  const whole = await decoder.decodeAudioData(bytes);
  const lead = index ? song.lead : 0, length = Math.min(song.chunk, whole.length - lead);
  if (length <= 0) return;
  deck.insert(track, 1, start, whole, lead, length);
}

const deck = new Deck(song.rate, (track, start) => bring(track, start));
deck.chunk = song.chunk;
deck.ask = 3;
deck.kept = 9; // every second of thirteen tracks is 5 MB
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

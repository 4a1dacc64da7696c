// MIDI controllers of this browser: every page has one ear, which hands what it hears to the knobs that learned it.

const midiEars = (globalThis.__mirepoixMidi ??= { access: null, listeners: new Set() });

/**
 * Listen to controllers.
 * @param {(cc: number, channel: number, value: number) => void} heard  value from 0 to 1
 * @returns {() => void} stops listening
 */
export function hearMidi(heard) {
  midiEars.listeners.add(heard);
  return () => midiEars.listeners.delete(heard);
}

/** Ask for the controllers. Gives a reason when there are none to be had, else "". */
export async function openMidi() {
  if (midiEars.access) return "";
  if (!navigator.requestMIDIAccess) return "This browser has no MIDI.";
  try {
    midiEars.access = await navigator.requestMIDIAccess();
  } catch {
    return "The browser did not allow MIDI.";
  }
  const attach = () => {
    for (const input of midiEars.access.inputs.values()) input.onmidimessage = midiSort;
  };
  midiEars.access.onstatechange = attach;
  attach();
  return "";
}

function midiSort(event) {
  const [status, cc, value] = event.data;
  if ((status & 0xf0) !== 0xb0) return;
  for (const heard of [...midiEars.listeners]) heard(cc, status & 15, value / 127);
}

// Turning knobs of one widget. The browser owns a value until Python has answered the turn that carried it: a late
// answer never moves a hand. Of each knob only the newest value of a gesture waits, so the last position always wins,
// and every gesture ends in a message of its own, so each is one step of undo.

const PATIENCE = 2000; // ms after which the next message goes out though the last one is not answered

export function makeTurns(model, ear) {
  const waiting = []; // gestures: {turns: Map, over}
  const under = new Map(); // what is on its way, by sequence number
  let seq = 0, sent = 0, frame = 0;

  function send() {
    const { turns, over } = waiting.shift();
    seq += 1;
    sent = performance.now();
    under.set(seq, turns);
    model.send({ kind: "turn", seq, turns: Object.fromEntries(turns), moving: !over, ear: ear() });
  }
  function flush() {
    frame = 0;
    if (waiting.length && !(under.size && performance.now() - sent < PATIENCE)) send();
  }
  const holders = function* (id) {
    for (const { turns } of waiting) if (turns.has(id)) yield turns;
    for (const turns of under.values()) if (turns.has(id)) yield turns;
  };
  return {
    turn(id, value, moving) {
      if (!waiting.length || waiting.at(-1).over) waiting.push({ turns: new Map(), over: false });
      const gesture = waiting.at(-1);
      gesture.turns.set(id, value);
      gesture.over = !moving;
      if (!moving) { cancelAnimationFrame(frame); flush(); } else frame ||= requestAnimationFrame(flush);
    },
    /** Everything that waits goes out now: something that follows it must not overtake it. */
    push() { while (waiting.length) send(); },
    answered(message) {
      for (const each of [...under.keys()]) if (each <= message.seq) under.delete(each);
      flush();
    },
    /** Whether a turn of the knob is not answered yet. */
    holds: (id) => !holders(id).next().done,
    /** Where the hand has put a knob that it holds. */
    value: (id) => (waiting.findLast(({ turns }) => turns.has(id))?.turns ?? [...under.values()].findLast((turns) => turns.has(id))).get(id),
  };
}

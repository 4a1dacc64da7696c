// Turning knobs of one widget: one message is under way at a time, and of each knob only the newest value waits, so
// the last position always wins and nothing is lost.

const ANSWER = 2000; // ms after which a lost answer is no longer waited for

export function makeTurns(model, ear) {
  let waiting = new Map(), settle = false, under = 0, seq = 0, frame = 0;

  function flush() {
    frame = 0;
    if (!waiting.size || performance.now() - under < ANSWER) return;
    under = performance.now();
    seq += 1;
    model.send({ kind: "turn", seq, turns: Object.fromEntries(waiting), moving: !settle, ear: ear() });
    waiting = new Map();
    settle = false;
  }
  return {
    turn(id, value, moving) {
      waiting.set(id, value);
      settle = !moving;
      if (!moving) { cancelAnimationFrame(frame); flush(); } else frame ||= requestAnimationFrame(flush);
    },
    answered(message) {
      if (message.seq !== seq) return;
      under = 0;
      flush();
    },
    holds: (id) => waiting.has(id),
  };
}

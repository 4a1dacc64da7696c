// What surrounds the plugin half of an effect: the conditions it runs under, and the moment of one block.
//
// The plugin half of a step is a struct of the same name as its Python class, in a header beside its Python
// file. Its members are the step's knobs, under their Python names:
//
//     live knob        Knob cutoff;       moves from cell to cell
//     plain number     double drive;      set before prepare()
//     choice           int law;           index into the choices, in their declared order
//     switch           bool freeze;
//     musical time     double time;       in seconds, set anew at the beginning of every cell
//
// and it has these functions, of which only prepare() may allocate:
//
//     void prepare(const RenderContext&);                          get ready, with all state at rest
//     void reset();                                        all state at rest again
//     void process(float* const* audio, const BlockContext&);    in place; the frames lie inside one cell
//     int latency() const;                                 frames by which the sound comes later
//     double tail_seconds() const;                               seconds of silence that more sound can come behind
//
// The same frames cut in any other way give the same bits.

#pragma once

namespace mirepoix {

// Knobs are exact on every 64th frame from the start and straight between, as in a render.
constexpr int GRID = 64;

struct Knob {
    double from = 0.0;  // at the first frame of the cell
    double to = 0.0;    // at the first frame of the next
    double bow = 0.0;   // by how much its curve passes above the straight line in the middle of the cell

    double at(int frame) const { return from + (to - from) * frame / GRID; }
    double middle() const { return 0.5 * (from + to) + bow; }  // for processors that can only hold a value still
    bool moves() const { return from != to; }
};

struct RenderContext {
    double rate = 44100.0;
    int channels = 2;
};

struct BlockContext {
    long long start = 0;                 // frames since the beginning
    int offset = 0;                      // of these frames, inside their cell
    int frames = 0;
    double beat = 0.0;                   // quarter notes since the beginning of the song, at the first frame
    double bpm = 120.0;
    const float* const* side = nullptr;  // the side input, or nothing
};

}  // namespace mirepoix

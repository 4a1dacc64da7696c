// Halves that are not what they should be.

#pragma once

#include "studio/effects/stage.hpp"

#include <cstdlib>

namespace mirepoix {

struct Still {
    void prepare(const Stage& stage) { channels = stage.channels; }
    void reset() {}
    int latency() const { return 0; }
    double memory() const { return 0.0; }
    int channels = 2;
};

struct Liar : Still {
    void process(float* const* audio, const Moment& now) {
        for (int frame = 0; frame < now.frames; ++frame) audio[0][frame] *= 0.9f;
    }
};

template <class Stage>
struct Never : Still {
    void process(float* const*, const Moment&) { static_assert(sizeof(Stage) == 0, "this half was never finished"); }
};
struct Broken : Never<Still> {};

struct Crashing : Still {
    void process(float* const*, const Moment&) { std::abort(); }
};

struct Hanging : Still {
    void process(float* const*, const Moment&) {
        for (volatile int forever = 1; forever;) {
        }
    }
};

}  // namespace mirepoix

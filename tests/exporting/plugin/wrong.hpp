// Halves that are not what they should be.

#pragma once

#include "studio/effects/context.hpp"

#include <cstdlib>

namespace mirepoix {

struct Still {
    void prepare(const RenderContext& context) { channels = context.channels; }
    void reset() {}
    int latency() const { return 0; }
    double tail_seconds() const { return 0.0; }
    int channels = 2;
};

struct Liar : Still {
    void process(float* const* audio, const BlockContext& now) {
        for (int frame = 0; frame < now.frames; ++frame) audio[0][frame] *= 0.9f;
    }
};

template <class RenderContext>
struct Never : Still {
    void process(float* const*, const BlockContext&) { static_assert(sizeof(RenderContext) == 0, "this half was never finished"); }
};
struct Broken : Never<Still> {};

struct Crashing : Still {
    void process(float* const*, const BlockContext&) { std::abort(); }
};

struct Hanging : Still {
    void process(float* const*, const BlockContext&) {
        for (volatile int forever = 1; forever;) {
        }
    }
};

}  // namespace mirepoix

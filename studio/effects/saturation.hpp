// Distortion in the amplitudes.

#pragma once

#include <algorithm>
#include <cmath>

#include "levels.hpp"
#include "context.hpp"

namespace mirepoix {

// What effects without memory share: each sample goes through `bend`, which is made ready once a cell.
template <typename Shape>
struct Waveshaper : Shape {
    void prepare(const RenderContext& context) { channels_ = context.channels; }
    void reset() {}
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        const auto bend = this->bend();
        for (int c = 0; c < channels_; ++c)
            for (int i = 0; i < now.frames; ++i) audio[c][i] = bend(audio[c][i]);
    }

private:
    int channels_ = 2;
};

struct DistortionShape {
    Knob drive;
    auto bend() const {
        const float push = single_amplitude(drive.middle());
        return [push](float x) { return std::tanh(x * push); };
    }
};

struct ClipShape {
    Knob threshold;
    auto bend() const {
        const float most = single_amplitude(threshold.middle());
        return [most](float x) { return std::clamp(x, -most, most); };
    }
};

struct BitcrushShape {
    Knob depth;
    // To the nearest whole number, halves to the even one; what has no fraction stays. Quicker than the library's.
    static float rounded(float x) {
        constexpr float WHOLE = 8388608.0f;  // from here on there are no fractions
        const float size = std::fabs(x);
        return size < WHOLE ? std::copysign((size + WHOLE) - WHOLE, x) : x;
    }
    auto bend() const {
        const float steps = std::pow(2.0f, static_cast<float>(depth.middle())), step = 1.0f / steps;
        return [steps, step](float x) { return rounded(x * steps) * step; };
    }
};

using Distortion = Waveshaper<DistortionShape>;
using Clip = Waveshaper<ClipShape>;
using Bitcrush = Waveshaper<BitcrushShape>;

}  // namespace mirepoix

// Distortion in the amplitudes.

#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "levels.hpp"
#include "context.hpp"
#include "oversampling.hpp"

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

// A valve or tape pushed: a hyperbolic tangent at four times the rate, off its middle for even harmonics.
struct Saturation {
    Knob drive, bias, output, mix;

    void prepare(const RenderContext& context) {
        channels_ = context.channels;
        back_ = std::exp(-2.0 * 3.14159265358979323846 * 5.0 / context.rate);
        lines_.assign(static_cast<std::size_t>(channels_), Channel());
    }
    void reset() { std::fill(lines_.begin(), lines_.end(), Channel()); }
    int latency() const { return Oversampler::LATENCY; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        const double push = amplitude(drive.middle()), aside = bias.middle(), rest = std::tanh(aside);
        const auto bend = [push, aside, rest](double x) { return std::tanh(push * x + aside) - rest; };
        for (int i = 0; i < now.frames; ++i) {
            const double wet = mix.at(now.offset + i), level = amplitude(output.at(now.offset + i));
            for (int c = 0; c < channels_; ++c) {
                Channel& line = lines_[static_cast<std::size_t>(c)];
                const double in = audio[c][i], bent = line.over(in, bend);
                line.last = bent - line.before + back_ * line.last;
                line.before = bent;
                const double dry = line.held[line.at];
                line.held[line.at] = in;
                line.at = line.at + 1 == Oversampler::LATENCY ? 0 : line.at + 1;
                audio[c][i] = static_cast<float>(dry * (1.0 - wet) + wet * level * line.last);
            }
        }
    }

private:
    struct Channel {
        Oversampler over;
        double held[Oversampler::LATENCY] = {}, last = 0.0, before = 0.0;
        std::size_t at = 0;
    };

    int channels_ = 2;
    double back_ = 0.0;
    std::vector<Channel> lines_;
};

}  // namespace mirepoix

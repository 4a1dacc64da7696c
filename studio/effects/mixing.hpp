// Level, polarity, place and width.

#pragma once

#include <algorithm>
#include <cmath>

#include "levels.hpp"
#include "context.hpp"

namespace mirepoix {

struct Gain {
    Knob gain;

    void prepare(const RenderContext& context) { channels_ = context.channels; }
    void reset() {}
    int latency() const { return 0; }
    double tail_seconds() const { return 0.0; }

    void process(float* const* audio, const BlockContext& now) {
        float factors[GRID];
        if (gain.moves())
            for (int i = 0; i < now.frames; ++i) factors[i] = static_cast<float>(amplitude(gain.at(now.offset + i)));
        else
            std::fill_n(factors, now.frames, static_cast<float>(amplitude(gain.to)));
        for (int c = 0; c < channels_; ++c)
            for (int i = 0; i < now.frames; ++i) audio[c][i] *= factors[i];
    }

private:
    int channels_ = 2;
};

struct Invert {
    void prepare(const RenderContext& context) { channels_ = context.channels; }
    void reset() {}
    int latency() const { return 0; }
    double tail_seconds() const { return 0.0; }

    void process(float* const* audio, const BlockContext& now) {
        for (int c = 0; c < channels_; ++c)
            for (int i = 0; i < now.frames; ++i) audio[c][i] = -audio[c][i];
    }

private:
    int channels_ = 2;
};

struct Pan {
    Knob position;
    int law = 0;  // balance, -3 dB, -4.5 dB, -6 dB

    void prepare(const RenderContext&) {}
    void reset() {}
    int latency() const { return 0; }
    double tail_seconds() const { return 0.0; }

    void process(float* const* audio, const BlockContext& now) {
        for (int i = 0; i < now.frames; ++i) {
            const double right = (position.at(now.offset + i) + 1.0) / 2.0, left = 1.0 - right;
            double one = left, other = right;
            if (law == 0) {
                one = std::min(1.0, 2.0 * left);
                other = std::min(1.0, 2.0 * right);
            } else if (law != 3) {
                const double angle = right * 3.14159265358979323846 / 2.0;
                one = std::cos(angle);
                other = std::sin(angle);
                if (law == 2) {
                    one = std::sqrt(left * one);
                    other = std::sqrt(right * other);
                }
            }
            audio[0][i] *= static_cast<float>(one);
            audio[1][i] *= static_cast<float>(other);
        }
    }
};

struct Width {
    Knob width;

    void prepare(const RenderContext& context) { channels_ = context.channels; }
    void reset() {}
    int latency() const { return 0; }
    double tail_seconds() const { return 0.0; }

    void process(float* const* audio, const BlockContext& now) {
        // One channel has no sides.
        if (channels_ < 2) return;
        // As numpy does it: a number takes the precision of the sound, a curve its own.
        if (width.moves()) spread<double>(audio, now);
        else spread<float>(audio, now);
    }

private:
    template <class Real>
    void spread(float* const* audio, const BlockContext& now) {
        for (int i = 0; i < now.frames; ++i) {
            const Real middle = (audio[0][i] + audio[1][i]) / 2.0f;
            const Real side = (audio[0][i] - audio[1][i]) / 2.0f * static_cast<Real>(width.at(now.offset + i));
            audio[0][i] = static_cast<float>(middle + side);
            audio[1][i] = static_cast<float>(middle - side);
        }
    }

    int channels_ = 2;
};

}  // namespace mirepoix

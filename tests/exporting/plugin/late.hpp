// Gives the sound some frames later, at a level, with its side input added.

#pragma once

#include "studio/effects/context.hpp"

#include <cmath>
#include <utility>
#include <vector>

namespace mirepoix {

struct Late {
    int frames = 0;
    Knob level, wobble;
    double size = 1.0;

    void prepare(const RenderContext& context) {
        channels_ = context.channels;
        rate_ = context.rate;
        reset();
    }
    void reset() {
        at_ = 0;
        ring_.assign(2 * static_cast<std::size_t>(frames), 0.0f);
    }
    int latency() const { return frames; }
    double tail_seconds() const { return frames / rate_; }

    void process(float* const* audio, const BlockContext& now) {
        for (int frame = 0; frame < now.frames; ++frame) {
            const double beat = now.beat + frame * now.bpm / 60.0 / rate_, turn = std::sin(2.0 * 3.14159265358979323846 * beat);
            const double factor = level.at(now.offset + frame) * (1.0 + wobble.at(now.offset + frame) * turn) * size;
            for (int channel = 0; channel < channels_; ++channel) {
                const double side = now.side ? now.side[channel][frame] : 0.0;
                const float sample = static_cast<float>(audio[channel][frame] * factor + side);
                audio[channel][frame] = frames ? std::exchange(ring_[2 * at_ + channel], sample) : sample;
            }
            if (frames && ++at_ == static_cast<std::size_t>(frames)) at_ = 0;
        }
    }

  private:
    std::vector<float> ring_;
    std::size_t at_ = 0;
    int channels_ = 2;
    double rate_ = 44100.0;
};

}  // namespace mirepoix

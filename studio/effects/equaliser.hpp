// A channel equaliser.

#pragma once

#include "biquads.hpp"
#include "context.hpp"

namespace mirepoix {

struct Eq {
    Knob low, low_mid, high_mid, high, low_hz, low_mid_hz, high_mid_hz, high_hz, low_mid_q, high_mid_q, low_cut, high_cut;

    void prepare(const RenderContext& context) {
        rate_ = context.rate;
        channels_ = context.channels;
        cascade_.prepare(channels_);
    }
    void reset() { cascade_.reset(); }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        shape();
        for (int c = 0; c < channels_; ++c)
            for (int i = 0; i < now.frames; ++i)
                audio[c][i] = static_cast<float>(cascade_(static_cast<size_t>(c), audio[c][i]));
    }

private:
    // Bands that do nothing are left out exactly.
    void shape() {
        const std::array<double, 12> held = {low.middle(), low_mid.middle(), high_mid.middle(), high.middle(),
                                             low_hz.middle(), low_mid_hz.middle(), high_mid_hz.middle(), high_hz.middle(),
                                             low_mid_q.middle(), high_mid_q.middle(), low_cut.middle(), high_cut.middle()};
        if (held == held_) return;
        held_ = held;
        const auto band = [&](bool there, Band kind, double hz, double q, double db) {
            return there ? biquad(kind, hz, q, db, rate_) : Biquad{};
        };
        cascade_.shape = {band(held[10] > 10.0, Band::highpass, held[10], BUTTERWORTH, 0.0),
                          band(held[0] != 0.0, Band::low_shelf, held[4], BUTTERWORTH, held[0]),
                          band(held[1] != 0.0, Band::bell, held[5], held[8], held[1]),
                          band(held[2] != 0.0, Band::bell, held[6], held[9], held[2]),
                          band(held[3] != 0.0, Band::high_shelf, held[7], BUTTERWORTH, held[3]),
                          band(held[11] < 22000.0, Band::lowpass, held[11], BUTTERWORTH, 0.0)};
    }

    double rate_ = 44100.0;
    int channels_ = 2;
    std::array<double, 12> held_{};
    Cascade<6> cascade_;
};

}  // namespace mirepoix

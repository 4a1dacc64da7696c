// Bands between Linkwitz-Riley crossovers of the fourth order, each through a chain of its own, added up in time.
//
// Sections after Robert Bristow-Johnson's Audio EQ Cookbook, https://webaudio.github.io/Audio-EQ-Cookbook/

#pragma once

#include "chain.hpp"

#include <cmath>

namespace mirepoix {

// A Butterworth low-pass or high-pass of the second order, twice.
class Slope {
  public:
    void prepare(double hz, double rate, bool low) {
        const double w = 2.0 * 3.14159265358979323846 * std::min(hz, 0.49 * rate) / rate;
        const double cosine = std::cos(w), alpha = std::sin(w) / (2.0 * std::sqrt(0.5));
        const double side = low ? 1.0 - cosine : 1.0 + cosine, norm = 1.0 + alpha;
        b0_ = side / 2.0 / norm;
        b1_ = (low ? side : -1.0 - cosine) / norm;
        a1_ = -2.0 * cosine / norm;
        a2_ = (1.0 - alpha) / norm;
        reset();
    }
    void reset() { *this = Slope(b0_, b1_, a1_, a2_); }
    Slope() = default;

    float process(float sample, int channel) {
        double value = sample;
        for (auto& state : state_[channel]) {
            const double out = b0_ * value + state[0];
            state[0] = b1_ * value - a1_ * out + state[1];
            state[1] = b0_ * value - a2_ * out;
            value = out;
        }
        return static_cast<float>(value);
    }

  private:
    Slope(double b0, double b1, double a1, double a2) : b0_(b0), b1_(b1), a1_(a1), a2_(a2) {}
    double b0_ = 0.0, b1_ = 0.0, a1_ = 0.0, a2_ = 0.0;
    double state_[CHANNELS][2][2] = {};
};

// What lies below and above a frequency; together an all-pass.
struct Crossover {
    Slope low, high;
    void prepare(double hz, double rate) {
        low.prepare(hz, rate, true);
        high.prepare(hz, rate, false);
    }
    void reset() {
        low.reset();
        high.reset();
    }
};

template <class Placed, class... Bands>
class Multiband : public Beside<Bands...> {
  public:
    int prepare(const RenderContext& context, int behind, const Point& start) {
        for (int split = 0; split < SPLITS; ++split) {
            splits_[split].prepare(Placed::HZ[split], context.rate);
            for (int above = split + 1; above < SPLITS; ++above) passes_[split][above].prepare(Placed::HZ[above], context.rate);
        }
        return Beside<Bands...>::prepare(context, behind, start);
    }
    void reset() {
        for (auto& split : splits_) split.reset();
        for (auto& row : passes_)
            for (auto& pass : row) pass.reset();
        Beside<Bands...>::reset();
    }
    double tail_seconds() const { return 0.05 + Beside<Bands...>::tail_seconds(); }

    void process(float* const* audio, int frames, const Now& now) {
        Scratch bands[SPLITS + 1];
        for (int channel = 0; channel < now.context.channels; ++channel)
            for (int frame = 0; frame < frames; ++frame) {
                float rest = audio[channel][frame];
                for (int split = 0; split < SPLITS; ++split) {
                    float low = splits_[split].low.process(rest, channel);
                    rest = splits_[split].high.process(rest, channel);
                    // The band passes the crossovers above it, so that all bands turn the phase alike.
                    for (int above = split + 1; above < SPLITS; ++above) {
                        Crossover& pass = passes_[split][above];
                        low = pass.low.process(low, channel) + pass.high.process(low, channel);
                    }
                    bands[split].samples[channel][frame] = low;
                }
                bands[SPLITS].samples[channel][frame] = rest;
            }
        Beside<Bands...>::process(bands, audio, frames, now);
    }

  private:
    static constexpr int SPLITS = sizeof...(Bands) - 1;
    Crossover splits_[SPLITS], passes_[SPLITS][SPLITS];
};

}  // namespace mirepoix

// Bands between Linkwitz-Riley crossovers of the fourth order, each through a chain of its own, added up in time.

#pragma once

#include "graph.hpp"
#include "studio/effects/biquads.hpp"

namespace mirepoix {

// What lies below and above a frequency: two Butterworth filters each; together an all-pass.
class Crossover {
  public:
    void prepare(double hz, const RenderContext& context) {
        for (auto* side : {&low_, &high_}) side->prepare(context.channels);
        const Biquad below = biquad(Band::lowpass, hz, BUTTERWORTH, 0.0, context.rate);
        const Biquad above = biquad(Band::highpass, hz, BUTTERWORTH, 0.0, context.rate);
        low_.shape = {below, below};
        high_.shape = {above, above};
    }
    void reset() {
        low_.reset();
        high_.reset();
    }
    float low(std::size_t channel, float sample) { return static_cast<float>(low_(channel, sample)); }
    float high(std::size_t channel, float sample) { return static_cast<float>(high_(channel, sample)); }

  private:
    Cascade<2> low_, high_;
};

class Multiband final : public Layers {
  public:
    void cross(double hz) { hz_.push_back(hz); }

    int prepare(const RenderContext& context, long long begin, int behind) override {
        splits_.resize(hz_.size());
        passes_.resize(hz_.size());
        for (std::size_t split = 0; split < hz_.size(); ++split) {
            splits_[split].prepare(hz_[split], context);
            passes_[split].resize(hz_.size());
            for (std::size_t above = split + 1; above < hz_.size(); ++above) passes_[split][above].prepare(hz_[above], context);
        }
        return Layers::prepare(context, begin, behind);
    }
    void reset() override {
        for (auto& split : splits_) split.reset();
        for (auto& row : passes_)
            for (auto& pass : row) pass.reset();
        Layers::reset();
    }
    double tail_seconds() const override { return 0.05 + Layers::tail_seconds(); }

    void process(float* const* audio, int frames, const Piece& now) override {
        for (std::size_t channel = 0; channel < static_cast<std::size_t>(now.channels); ++channel)
            for (int frame = 0; frame < frames; ++frame) {
                float rest = audio[channel][frame];
                for (std::size_t split = 0; split < splits_.size(); ++split) {
                    float low = splits_[split].low(channel, rest);
                    rest = splits_[split].high(channel, rest);
                    // The band passes the crossovers above it, so that all bands turn the phase alike.
                    for (std::size_t above = split + 1; above < splits_.size(); ++above)
                        low = passes_[split][above].low(channel, low) + passes_[split][above].high(channel, low);
                    sounds_[split].samples[channel][frame] = low;
                }
                sounds_.back().samples[channel][frame] = rest;
            }
        add_up(audio, frames, now);
    }

  private:
    std::vector<double> hz_;
    std::vector<Crossover> splits_;
    std::vector<std::vector<Crossover>> passes_;
};

}  // namespace mirepoix

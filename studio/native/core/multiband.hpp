// Bands between Linkwitz-Riley crossovers of the fourth order, each through a chain of its own, added up in time.

#pragma once

#include "crossover.hpp"
#include "graph.hpp"

namespace mirepoix {

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

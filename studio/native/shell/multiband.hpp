// Bands between Linkwitz-Riley crossovers of the fourth order, each through a chain of its own, added up in time.

#pragma once

#include "chain.hpp"
#include "studio/native/core/crossover.hpp"

namespace mirepoix {

template <class Placed, class... Bands>
class Multiband : public Beside<Bands...> {
  public:
    int prepare(const RenderContext& context, int behind, const Point& start) {
        for (int split = 0; split < SPLITS; ++split) {
            splits_[split].prepare(Placed::HZ[split], context);
            for (int above = split + 1; above < SPLITS; ++above) passes_[split][above].prepare(Placed::HZ[above], context);
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
        for (int channel = 0; channel < now.context.channels; ++channel) {
            const auto at = static_cast<std::size_t>(channel);
            for (int frame = 0; frame < frames; ++frame) {
                float rest = audio[channel][frame];
                for (int split = 0; split < SPLITS; ++split) {
                    float low = splits_[split].low(at, rest);
                    rest = splits_[split].high(at, rest);
                    // The band passes the crossovers above it, so that all bands turn the phase alike.
                    for (int above = split + 1; above < SPLITS; ++above) {
                        Crossover& pass = passes_[split][above];
                        low = pass.low(at, low) + pass.high(at, low);
                    }
                    bands[split].samples[channel][frame] = low;
                }
                bands[SPLITS].samples[channel][frame] = rest;
            }
        }
        Beside<Bands...>::process(bands, audio, frames, now);
    }

  private:
    static constexpr int SPLITS = sizeof...(Bands) - 1;
    Crossover splits_[SPLITS], passes_[SPLITS][SPLITS];
};

}  // namespace mirepoix

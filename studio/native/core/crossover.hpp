// Linkwitz and Riley's crossover of the fourth order.

#pragma once

#include <cstddef>

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

}  // namespace mirepoix

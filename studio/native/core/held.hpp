// What is late waits for what is later.

#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace mirepoix {

// Holds a signal back by so many frames.
class Held {
  public:
    void prepare(int channels, int frames) {
        frames_ = static_cast<std::size_t>(frames);
        rings_.assign(static_cast<std::size_t>(channels), std::vector<float>(frames_, 0.0f));
        at_ = 0;
    }
    void reset() {
        for (auto& ring : rings_) std::fill(ring.begin(), ring.end(), 0.0f);
        at_ = 0;
    }
    void process(float* const* audio, int frames) {
        if (!frames_) return;
        std::size_t at = at_;
        for (std::size_t channel = 0; channel < rings_.size(); ++channel) {
            at = at_;
            for (int frame = 0; frame < frames; ++frame) {
                std::swap(audio[channel][frame], rings_[channel][at]);
                if (++at == frames_) at = 0;
            }
        }
        at_ = at;
    }

  private:
    std::size_t frames_ = 0, at_ = 0;
    std::vector<std::vector<float>> rings_;
};

}  // namespace mirepoix

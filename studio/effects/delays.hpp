// Echoes, in time with the song.

#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "context.hpp"

namespace mirepoix {

constexpr double LONGEST_DELAY = 30.0;

// The past of a sound, silent at first. The longest delay is seldom asked for, so the memory is taken from the system as it
// comes, in zeros: what is never touched costs nothing, and a chain is made at once.
template <typename Sample>
class DelayLine {
  public:
    explicit DelayLine(size_t size) : size_(size), past_(static_cast<Sample*>(std::calloc(size, sizeof(Sample))), std::free) {
        if (past_) return;
#if defined(__cpp_exceptions)
        throw std::bad_alloc();
#else
        std::abort();  // in a plugin, as a vector would
#endif
    }
    Sample& operator[](size_t frame) { return past_.get()[frame]; }
    size_t size() const { return size_; }
    // Silence again, where something has been written: in the first `used` frames.
    void clear(size_t used) { std::fill_n(past_.get(), std::min(used, size_), Sample{}); }

  private:
    size_t size_;
    std::unique_ptr<Sample, void (*)(void*)> past_;
};

// As many lines as there are channels.
template <typename Sample>
std::vector<DelayLine<Sample>> delay_lines(int channels, size_t size) {
    std::vector<DelayLine<Sample>> lines;
    for (int c = 0; c < channels; ++c) lines.emplace_back(size);
    return lines;
}

struct Delay {
    double time = 0.35;
    Knob feedback, mix;

    void prepare(const RenderContext& context) {
        rate_ = context.rate;
        lines_ = delay_lines<float>(context.channels, static_cast<size_t>(LONGEST_DELAY * context.rate) + 1);
        write_ = used_ = 0;
    }
    void reset() {
        for (auto& line : lines_) line.clear(used_);
        write_ = used_ = 0;
    }
    int latency() const { return 0; }
    double tail_seconds() const { return time * 1.1 + 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        const size_t size = lines_[0].size();
        const size_t frames = std::min(static_cast<size_t>(static_cast<float>(time) * rate_), size - 1);
        const float again = static_cast<float>(feedback.middle()), wet = static_cast<float>(mix.middle()), dry = 1.0f - wet;
        used_ = std::min(size, used_ + static_cast<size_t>(now.frames));
        for (int i = 0; i < now.frames; ++i) {
            const size_t read = write_ >= frames ? write_ - frames : write_ + size - frames;
            for (size_t c = 0; c < lines_.size(); ++c) {
                const float in = audio[c][i], heard = lines_[c][read];
                lines_[c][write_] = in + again * heard;
                audio[c][i] = in * dry + wet * heard;
            }
            write_ = write_ + 1 == size ? 0 : write_ + 1;
        }
    }

private:
    double rate_ = 44100.0;
    size_t write_ = 0, used_ = 0;
    std::vector<DelayLine<float>> lines_;
};

// Every repeat is darker and thinner than the last.
struct Echo {
    double time = 0.5;
    Knob feedback, mix, highs, lows;
    bool pingpong = false;

    void prepare(const RenderContext& context) {
        rate_ = context.rate;
        const size_t longest = static_cast<size_t>(std::lround(LONGEST_DELAY * context.rate)) + 1;
        lines_ = delay_lines<double>(context.channels, longest);
        low_.assign(lines_.size(), 0.0);
        high_.assign(lines_.size(), 0.0);
        heard_.assign(lines_.size(), 0.0);
        write_ = used_ = 0;
    }
    void reset() {
        for (auto& line : lines_) line.clear(used_);
        std::fill(low_.begin(), low_.end(), 0.0);
        std::fill(high_.begin(), high_.end(), 0.0);
        write_ = used_ = 0;
    }
    int latency() const { return 0; }
    double tail_seconds() const { return time * 1.1 + 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        const size_t size = lines_[0].size();
        // Halves go to the even number, as in the render.
        const size_t frames = std::min(static_cast<size_t>(std::max(1.0, std::nearbyint(time * rate_))), size - 1);
        const double turn = -2.0 * 3.14159265358979323846 / rate_;
        const double dark = std::exp(turn * highs.middle()), thin = std::exp(turn * lows.middle()), half = (1.0 + thin) / 2.0;
        const double again = feedback.middle(), wet = mix.middle();
        const bool jumps = pingpong && lines_.size() == 2;
        used_ = std::min(size, used_ + static_cast<size_t>(now.frames));
        for (int i = 0; i < now.frames; ++i) {
            const size_t read = write_ >= frames ? write_ - frames : write_ + size - frames;
            for (size_t c = 0; c < lines_.size(); ++c) {
                const double soft = (1.0 - dark) * lines_[c][read] + low_[c];
                low_[c] = dark * soft;
                heard_[c] = half * soft + high_[c];
                high_[c] = -half * soft + thin * heard_[c];
            }
            const float middle = jumps ? (audio[0][i] + audio[1][i]) / 2.0f : 0.0f;
            for (size_t c = 0; c < lines_.size(); ++c) {
                const double sent = jumps ? (c == 0 ? static_cast<double>(middle) : 0.0) : audio[c][i];
                lines_[c][write_] = sent + heard_[jumps ? 1 - c : c] * again;
                audio[c][i] = static_cast<float>(audio[c][i] + heard_[c] * wet);
            }
            write_ = write_ + 1 == size ? 0 : write_ + 1;
        }
    }

private:
    double rate_ = 44100.0;
    size_t write_ = 0, used_ = 0;
    std::vector<DelayLine<double>> lines_;
    std::vector<double> low_, high_, heard_;
};

}  // namespace mirepoix

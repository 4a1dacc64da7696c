// Filters of the first and second order in single precision, and a ladder.

#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "glide.hpp"
#include "levels.hpp"
#include "context.hpp"

namespace mirepoix {

constexpr float PI = 3.14159265358979323846f;

// One section in the transposed direct form II; with b2 = a2 = 0 it is of the first order.
class Section {
public:
    void prepare(const RenderContext& context) { state_.assign(static_cast<size_t>(context.channels), {0.0f, 0.0f}); }
    void reset() { std::fill(state_.begin(), state_.end(), std::array<float, 2>{0.0f, 0.0f}); }

    void set(float b0, float b1, float b2, float a0, float a1, float a2) {
        const float scale = 1.0f / a0;
        b0_ = b0 * scale, b1_ = b1 * scale, b2_ = b2 * scale, a1_ = a1 * scale, a2_ = a2 * scale;
    }

    void process(float* const* audio, int frames) {
        for (size_t c = 0; c < state_.size(); ++c) {
            float one = state_[c][0], two = state_[c][1];
            float* samples = audio[c];
            for (int i = 0; i < frames; ++i) {
                const float in = samples[i], out = in * b0_ + one;
                one = in * b1_ - out * a1_ + two;
                two = in * b2_ - out * a2_;
                samples[i] = out;
            }
            state_[c] = {one, two};
        }
    }

private:
    float b0_ = 1.0f, b1_ = 0.0f, b2_ = 0.0f, a1_ = 0.0f, a2_ = 0.0f;
    std::vector<std::array<float, 2>> state_;
};

// What the filters of one section share; `Shape` turns knobs into coefficients whenever they change.
template <typename Shape>
struct Filter : Shape {
    void prepare(const RenderContext& context) {
        rate_ = static_cast<float>(context.rate);
        section_.prepare(context);
    }
    void reset() { section_.reset(); }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        const auto held = this->held();
        if (held != last_) {
            last_ = held;
            this->shape(section_, rate_);
        }
        section_.process(audio, now.frames);
    }

private:
    float rate_ = 44100.0f;
    std::array<double, 3> last_{-1.0, -1.0, -1.0};
    Section section_;
};

struct FirstOrder {
    Knob cutoff;
    std::array<double, 3> held() const { return {cutoff.middle(), 0.0, 0.0}; }
    float tangent(float rate) const { return std::tan(PI * static_cast<float>(cutoff.middle()) / rate); }
};

struct LowpassShape : FirstOrder {
    void shape(Section& section, float rate) const {
        const float n = tangent(rate);
        section.set(n, n, 0.0f, n + 1.0f, n - 1.0f, 0.0f);
    }
};

struct HighpassShape : FirstOrder {
    void shape(Section& section, float rate) const {
        const float n = tangent(rate);
        section.set(1.0f, -1.0f, 0.0f, n + 1.0f, n - 1.0f, 0.0f);
    }
};

struct SecondOrder {
    Knob cutoff, gain, q;
    std::array<double, 3> held() const { return {cutoff.middle(), gain.middle(), q.middle()}; }
    float turn(float rate) const { return 2.0f * PI * std::max(static_cast<float>(cutoff.middle()), 2.0f) / rate; }
    float root() const { return std::sqrt(single_amplitude(gain.middle())); }
    float narrowness() const { return static_cast<float>(q.middle()); }
};

// The shelves of the Audio EQ Cookbook; `side` is 1 for the low one and -1 for the high one.
template <int side>
struct ShelfShape : SecondOrder {
    void shape(Section& section, float rate) const {
        const float a = root(), less = a - 1.0f, more = a + 1.0f, w = turn(rate), cosine = std::cos(w);
        const float beta = std::sin(w) * std::sqrt(a) / narrowness(), tilt = side * less * cosine;
        section.set(a * (more - tilt + beta), side * a * 2.0f * (less - side * more * cosine), a * (more - tilt - beta),
                    more + tilt + beta, side * -2.0f * (less + side * more * cosine), more + tilt - beta);
    }
};

struct PeakShape : SecondOrder {
    void shape(Section& section, float rate) const {
        const float a = root(), w = turn(rate), alpha = std::sin(w) / (narrowness() * 2.0f), c = -2.0f * std::cos(w);
        section.set(1.0f + alpha * a, c, 1.0f - alpha * a, 1.0f + alpha / a, c, 1.0f - alpha / a);
    }
};

using Lowpass = Filter<LowpassShape>;
using Highpass = Filter<HighpassShape>;
using LowShelf = Filter<ShelfShape<1>>;
using HighShelf = Filter<ShelfShape<-1>>;
using Peak = Filter<PeakShape>;

// Four one-pole filters in a loop with soft saturation (after Huovilainen and Valimaki), as JUCE has it.
struct Ladder {
    Knob cutoff, resonance, drive;
    int passes = 0;  // lowpass, highpass, bandpass
    int slope = 1;   // 12 dB, 24 dB

    void prepare(const RenderContext& context) {
        rate_ = static_cast<float>(context.rate);
        pole_.prepare(context.rate, 0.05);
        loop_.prepare(context.rate, 0.05);
        state_.assign(static_cast<size_t>(context.channels), {});
        for (int i = 0; i <= POINTS; ++i)
            table_[static_cast<size_t>(i)] = std::tanh(-5.0f + 10.0f * static_cast<float>(std::min(i, POINTS - 1)) / (POINTS - 1));
        static constexpr float TAPS[3][2][5] = {{{0, 0, 1, 0, 0}, {0, 0, 0, 0, 1}},
                                                {{1, -2, 1, 0, 0}, {1, -4, 6, -4, 1}},
                                                {{0, 0, -1, 1, 0}, {0, 0, 1, -2, 1}}};
        for (size_t i = 0; i < 5; ++i) taps_[i] = TAPS[passes][slope][i] * 1.2f;
        comp_ = passes == 1 ? 0.0f : 0.5f;
        reset();
    }

    void reset() {
        std::fill(state_.begin(), state_.end(), std::array<float, 5>{});
        fresh_ = true;
    }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        const float scale = static_cast<float>(-2.0 * 3.14159265358979323846) / rate_;
        pole_.to(std::exp(static_cast<float>(cutoff.middle()) * scale));
        loop_.to(0.1f + static_cast<float>(resonance.middle()) * 0.9f);
        if (fresh_) {
            pole_.settle();
            loop_.settle();
            fresh_ = false;
        }
        const float push = static_cast<float>(drive.middle()), weak = push * 0.04f + 0.96f;
        const float gain = made_up(push), weak_gain = made_up(weak);
        for (int i = 0; i < now.frames; ++i) {
            const float a1 = pole_.next(), around = loop_.next();
            const float g = 1.0f - a1, b0 = g * 0.76923076923f, b1 = g * 0.23076923076f;
            for (size_t c = 0; c < state_.size(); ++c) {
                auto& s = state_[c];
                const float in = gain * bent(push * audio[c][i]);
                const float a = in + around * -4.0f * (weak_gain * bent(weak * s[4]) - in * comp_);
                const float b = b1 * s[0] + a1 * s[1] + b0 * a, d = b1 * s[1] + a1 * s[2] + b0 * b;
                const float e = b1 * s[2] + a1 * s[3] + b0 * d, f = b1 * s[3] + a1 * s[4] + b0 * e;
                s = {a, b, d, e, f};
                audio[c][i] = a * taps_[0] + b * taps_[1] + d * taps_[2] + e * taps_[3] + f * taps_[4];
            }
        }
    }

private:
    static constexpr int POINTS = 128;

    static float made_up(float drive) { return std::pow(drive, -2.642f) * 0.6103f + 0.3903f; }

    // The hyperbolic tangent from -5 to 5, read from a table.
    float bent(float x) const {
        const float scale = static_cast<float>(POINTS - 1) / 10.0f;
        const float at = std::clamp(scale * x + 5.0f * scale, 0.0f, static_cast<float>(POINTS - 1));
        const size_t left = static_cast<size_t>(at);
        const float share = at - static_cast<float>(left);
        return table_[left] + share * (table_[left + 1] - table_[left]);
    }

    float rate_ = 44100.0f, comp_ = 0.5f;
    bool fresh_ = true;
    Glide pole_, loop_;
    std::array<float, 5> taps_{};
    std::array<float, POINTS + 1> table_{};
    std::vector<std::array<float, 5>> state_;
};

}  // namespace mirepoix

// Effects that listen to what they turn: a transient shaper, a de-esser, a dynamic equaliser and a vocoder.

#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "biquads.hpp"
#include "context.hpp"
#include "levels.hpp"

namespace mirepoix {

inline double decibels_between(double one, double other) { return 20.0 * std::log10(one / other); }

// A state-variable filter without delay in its loop, of which only the band-pass is wanted, 0 dB at its centre.
// After A. Simper, "Solving the continuous SVF equations using trapezoidal integration", 2013.
class BandPass {
public:
    struct Shape {
        double a1 = 0.0, a2 = 0.0, a3 = 0.0, k = 1.0;
        static Shape at(double hz, double q, double rate) {
            const double g = std::tan(3.14159265358979323846 * std::min(hz, 0.49 * rate) / rate), k = 1.0 / q;
            const double a1 = 1.0 / (1.0 + g * (g + k)), a2 = g * a1;
            return {a1, a2, g * a2, k};
        }
    };

    void reset() { one_ = two_ = 0.0; }

    double operator()(const Shape& shape, double x) {
        const double v3 = x - two_, v1 = shape.a1 * one_ + shape.a2 * v3, v2 = two_ + shape.a2 * one_ + shape.a3 * v3;
        one_ = 2.0 * v1 - one_;
        two_ = 2.0 * v2 - two_;
        return shape.k * v1;
    }

private:
    double one_ = 0.0, two_ = 0.0;
};

// What a filter of the first order takes away of the lows, its state that of an integrator.
class FirstHighpass {
public:
    static double shape(double hz, double rate) {
        const double g = std::tan(3.14159265358979323846 * std::min(hz, 0.49 * rate) / rate);
        return g / (1.0 + g);
    }
    void reset() { held_ = 0.0; }
    double operator()(double shape, double x) {
        const double v = (x - held_) * shape, low = v + held_;
        held_ = low + v;
        return x - low;
    }

private:
    double held_ = 0.0;
};

// Levels that are followed on exponentials, up and down at different speeds.
class Envelope {
public:
    void prepare(double rate, int channels = 1) {
        rate_ = rate;
        level_.assign(static_cast<size_t>(channels), 0.0);
    }
    void reset() { std::fill(level_.begin(), level_.end(), 0.0); }

    void set(double attack_ms, double release_ms) {
        up_ = std::exp(-1000.0 / (rate_ * attack_ms));
        down_ = std::exp(-1000.0 / (rate_ * release_ms));
    }

    double operator()(double magnitude, size_t channel = 0) {
        double& level = level_[channel];
        level = magnitude + (magnitude > level ? up_ : down_) * (level - magnitude);
        return level;
    }

private:
    double rate_ = 44100.0, up_ = 0.0, down_ = 0.0;
    std::vector<double> level_;
};

// Hits are what a quick follower hears before a slow one; what rings is what one that lets go slowly still hears.
struct Transient {
    Knob attack, sustain;

    void prepare(const RenderContext& context) {
        channels_ = context.channels;
        for (Envelope* each : {&quick_, &slow_, &short_, &long_}) each->prepare(context.rate);
        quick_.set(0.5, 80.0);
        slow_.set(20.0, 80.0);
        short_.set(0.5, 60.0);
        long_.set(0.5, 600.0);
    }
    void reset() {
        for (Envelope* each : {&quick_, &slow_, &short_, &long_}) each->reset();
    }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        for (int i = 0; i < now.frames; ++i) {
            double key = 0.0;
            for (int c = 0; c < channels_; ++c) key = std::max(key, std::abs(static_cast<double>(audio[c][i])));
            const double hit = over(quick_(key), slow_(key)), ring = over(long_(key), short_(key));
            const double gain = amplitude(attack.at(now.offset + i) * hit + sustain.at(now.offset + i) * ring);
            for (int c = 0; c < channels_; ++c) audio[c][i] = static_cast<float>(audio[c][i] * gain);
        }
    }

private:
    static constexpr double FLOOR = 1.0e-5, WHOLE_DB = 12.0;

    // How far one level is above another, from 0 to 1.
    static double over(double one, double other) {
        return std::clamp(decibels_between(one + FLOOR, other + FLOOR) / WHOLE_DB, 0.0, 1.0);
    }

    int channels_ = 2;
    Envelope quick_, slow_, short_, long_;
};

// Turns down the highs, with two shelves of the first order, where they are too loud beside the whole.
struct DeEsser {
    Knob frequency, threshold, most;

    void prepare(const RenderContext& context) {
        channels_ = context.channels;
        rate_ = context.rate;
        highs_.prepare(channels_);
        for (Envelope* each : {&hiss_, &whole_}) {
            each->prepare(context.rate);
            each->set(1.0, 40.0);
        }
        shelves_.assign(static_cast<size_t>(2 * channels_), FirstHighpass());
    }
    void reset() {
        highs_.reset();
        for (FirstHighpass& each : shelves_) each.reset();
        hiss_.reset();
        whole_.reset();
    }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        highs_.shape[0] = biquad(Band::highpass, frequency.middle(), BUTTERWORTH, 0.0, rate_);
        const double shelf = FirstHighpass::shape(0.6 * frequency.middle(), rate_);
        for (int i = 0; i < now.frames; ++i) {
            double hiss = 0.0, whole = 0.0;
            for (int c = 0; c < channels_; ++c) {
                hiss = std::max(hiss, std::abs(highs_(static_cast<size_t>(c), audio[c][i])));
                whole = std::max(whole, std::abs(static_cast<double>(audio[c][i])));
            }
            const double beside = decibels_between(hiss_(hiss) + 1.0e-6, whole_(whole) + 1.0e-6);
            const double down = std::clamp(beside - threshold.at(now.offset + i), 0.0, most.at(now.offset + i));
            const double less = amplitude(-down / 2.0) - 1.0;
            for (int c = 0; c < channels_; ++c) {
                FirstHighpass* const both = &shelves_[static_cast<size_t>(2 * c)];
                const double once = audio[c][i] + less * both[0](shelf, audio[c][i]);
                audio[c][i] = static_cast<float>(once + less * both[1](shelf, once));
            }
        }
    }

private:
    int channels_ = 2;
    double rate_ = 44100.0;
    Cascade<1> highs_;
    std::vector<FirstHighpass> shelves_;
    Envelope hiss_, whole_;
};

// A bell that only cuts where its band is above the threshold.
struct DynamicEq {
    Knob cutoff, q, threshold, ratio, attack, release, most;

    void prepare(const RenderContext& context) {
        channels_ = context.channels;
        rate_ = context.rate;
        bands_.assign(static_cast<size_t>(channels_), BandPass());
        band_.assign(static_cast<size_t>(channels_), 0.0);
        level_.prepare(context.rate);
    }
    void reset() {
        for (BandPass& each : bands_) each.reset();
        level_.reset();
    }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        const auto shape = BandPass::Shape::at(cutoff.middle(), q.middle(), rate_);
        level_.set(attack.middle(), release.middle());
        const double steep = 1.0 - 1.0 / ratio.middle();
        for (int i = 0; i < now.frames; ++i) {
            double loudest = 0.0;
            for (int c = 0; c < channels_; ++c) {
                const size_t channel = static_cast<size_t>(c);
                band_[channel] = bands_[channel](shape, audio[c][i]);
                const double heard = now.side != nullptr ? static_cast<double>(now.side[c][i]) : band_[channel];
                loudest = std::max(loudest, std::abs(heard));
            }
            const double level = decibels_between(level_(loudest) + 1.0e-6, 1.0);
            const double down = std::clamp((level - threshold.at(now.offset + i)) * steep, 0.0, most.at(now.offset + i));
            const double less = amplitude(-down) - 1.0;
            for (int c = 0; c < channels_; ++c) audio[c][i] = static_cast<float>(audio[c][i] + less * band_[static_cast<size_t>(c)]);
        }
    }

private:
    int channels_ = 2;
    double rate_ = 44100.0;
    std::vector<BandPass> bands_;
    std::vector<double> band_;
    Envelope level_;
};

// Each band of the sound as loud as the same band of the side input.
struct Vocoder {
    double bands = 16.0, low = 80.0, high = 10000.0;
    Knob attack, release, mix;

    void prepare(const RenderContext& context) {
        channels_ = context.channels;
        const int count = static_cast<int>(bands);
        const double step = std::pow(high / low, 1.0 / std::max(1, count - 1)), q = 1.0 / (std::sqrt(step) - 1.0 / std::sqrt(step));
        shapes_.clear();
        for (int b = 0; b < count; ++b) shapes_.push_back(BandPass::Shape::at(low * std::pow(step, b), 0.8 * q, context.rate));
        filters_.assign(static_cast<size_t>(count * (2 * channels_ + 2)), BandPass());
        level_.prepare(context.rate, count);
        sums_.assign(static_cast<size_t>(channels_), 0.0);
    }
    void reset() {
        for (BandPass& each : filters_) each.reset();
        level_.reset();
    }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.2; }

    void process(float* const* audio, const BlockContext& now) {
        level_.set(attack.middle(), release.middle());
        for (int i = 0; i < now.frames; ++i) {
            double heard = 0.0;
            const float* const* from = now.side != nullptr ? now.side : audio;
            for (int c = 0; c < channels_; ++c) heard += from[c][i];
            heard /= channels_;
            const double wet = mix.at(now.offset + i);
            std::fill(sums_.begin(), sums_.end(), 0.0);
            size_t filter = 0;
            for (size_t b = 0; b < shapes_.size(); ++b) {
                const double inside = twice(filter, shapes_[b], heard);
                const double level = level_(std::abs(inside), b) / UNITY;
                for (int c = 0; c < channels_; ++c) sums_[static_cast<size_t>(c)] += level * twice(filter, shapes_[b], audio[c][i]);
            }
            for (int c = 0; c < channels_; ++c)
                audio[c][i] = static_cast<float>(audio[c][i] * (1.0 - wet) + wet * sums_[static_cast<size_t>(c)]);
        }
    }

private:
    static constexpr double UNITY = 0.1;  // a band as loud as this lets its band of the sound through as it is

    double twice(size_t& filter, const BandPass::Shape& shape, double x) {
        const double once = filters_[filter](shape, x), again = filters_[filter + 1](shape, once);
        filter += 2;
        return again;
    }

    int channels_ = 2;
    std::vector<BandPass::Shape> shapes_;
    std::vector<BandPass> filters_;
    std::vector<double> sums_;
    Envelope level_;
};

}  // namespace mirepoix

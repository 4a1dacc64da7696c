// Compressors, gates and a limiter.

#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "glide.hpp"
#include "levels.hpp"
#include "context.hpp"
#include "true_peak.hpp"

namespace mirepoix {

// Follows a level, fast up and slowly down.
class Follower {
public:
    void prepare(double rate, int channels) {
        factor_ = -2.0 * 3.14159265358979323846 * 1000.0 / rate;
        level_.assign(static_cast<size_t>(channels), 0.0f);
    }
    void reset() { std::fill(level_.begin(), level_.end(), 0.0f); }

    void set(double attack_ms, double release_ms) {
        up_ = pole(static_cast<float>(attack_ms));
        down_ = pole(static_cast<float>(release_ms));
    }

    float operator()(size_t channel, float magnitude) {
        float& level = level_[channel];
        level = magnitude + (magnitude > level ? up_ : down_) * (level - magnitude);
        return level;
    }

private:
    float pole(float ms) const { return ms < 1.0e-3f ? 0.0f : static_cast<float>(std::exp(factor_ / ms)); }

    double factor_ = 0.0;
    float up_ = 0.0f, down_ = 0.0f;
    std::vector<float> level_;
};

// Turns down what is above the threshold.
class Squeezer {
public:
    void prepare(double rate, int channels) { follower_.prepare(rate, channels); }
    void reset() { follower_.reset(); }

    void set(double threshold_db, double ratio, double attack_ms, double release_ms, double knee_db = 0.0) {
        threshold_ = single_amplitude(threshold_db, -200.0f);
        inverse_ = 1.0f / threshold_;
        power_ = 1.0f / static_cast<float>(ratio) - 1.0f;
        knee_ = static_cast<float>(knee_db);
        follower_.set(attack_ms, release_ms);
    }

    float operator()(size_t channel, float in) {
        const float level = follower_(channel, std::abs(in));
        if (knee_ > 0.0f && level > 0.0f) return bent(20.0f * std::log10(level * inverse_)) * in;
        return (level < threshold_ ? 1.0f : std::pow(level * inverse_, power_)) * in;
    }

private:
    // The gain so many dB above the threshold, a parabola over the knee.
    float bent(float over) const {
        const float into = over + 0.5f * knee_;
        if (into <= 0.0f) return 1.0f;
        const float beyond = into < knee_ ? into * into / (2.0f * knee_) : over;
        return std::pow(10.0f, 0.05f * power_ * beyond);
    }

    Follower follower_;
    float threshold_ = 1.0f, inverse_ = 1.0f, power_ = 0.0f, knee_ = 0.0f;
};

// Turns down what is below the threshold; it hears the root of the mean square over 50 ms.
class Closer {
public:
    void prepare(double rate, int channels) {
        rate_ = rate;
        power_.prepare(rate, channels);
        power_.set(0.0, 50.0);
        follower_.prepare(rate, channels);
        left_.assign(static_cast<size_t>(channels), 0);
    }
    void reset() {
        power_.reset();
        follower_.reset();
        std::fill(left_.begin(), left_.end(), 0);
    }

    void set(double threshold_db, double ratio, double attack_ms, double release_ms, double hold_ms) {
        hold_ = static_cast<int>(std::lround(rate_ * hold_ms / 1000.0));
        threshold_ = single_amplitude(threshold_db, -200.0f);
        inverse_ = 1.0f / threshold_;
        exponent_ = static_cast<float>(ratio) - 1.0f;
        follower_.set(attack_ms, release_ms);
    }

    float operator()(size_t channel, float in) {
        const float level = follower_(channel, std::abs(std::sqrt(power_(channel, in * in))));
        int& left = left_[channel];
        if (level > threshold_) {
            left = hold_;
            return in;
        }
        if (left > 0) {
            --left;
            return in;
        }
        return std::pow(level * inverse_, exponent_) * in;
    }

private:
    double rate_ = 44100.0;
    int hold_ = 0;  // frames for which it stays open
    std::vector<int> left_;
    Follower power_, follower_;
    float threshold_ = 1.0f, inverse_ = 1.0f, exponent_ = 0.0f;
};

// The loudest of all channels, or of the side input; never less than can be divided by.
inline float heard(float* const* audio, const BlockContext& now, int channels, int frame) {
    const float* const* from = now.side != nullptr ? now.side : audio;
    float key = 1.0e-6f;
    for (int c = 0; c < channels; ++c) key = std::max(key, std::abs(from[c][frame]));
    return key;
}

struct Compressor {
    Knob threshold, ratio, attack, release, knee, makeup;
    bool link = true;

    void prepare(const RenderContext& context) {
        channels_ = context.channels;
        own_.prepare(context.rate, channels_);
        shared_.prepare(context.rate, 1);
    }
    void reset() {
        own_.reset();
        shared_.reset();
    }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        const bool alone = !link && now.side == nullptr;
        (alone ? own_ : shared_).set(threshold.middle(), ratio.middle(), attack.middle(), release.middle(), knee.middle());
        for (int i = 0; i < now.frames; ++i) {
            const double up = amplitude(makeup.at(now.offset + i));
            if (alone) {
                for (int c = 0; c < channels_; ++c)
                    audio[c][i] = static_cast<float>(own_(static_cast<size_t>(c), audio[c][i]) * up);
                continue;
            }
            const float key = heard(audio, now, channels_, i), gain = shared_(0, key) / key;
            for (int c = 0; c < channels_; ++c) audio[c][i] = static_cast<float>(audio[c][i] * gain * up);
        }
    }

private:
    int channels_ = 2;
    Squeezer own_, shared_;
};

struct Ducker {
    Knob depth, threshold, attack, release;

    void prepare(const RenderContext& context) {
        channels_ = context.channels;
        shared_.prepare(context.rate, 1);
    }
    void reset() { shared_.reset(); }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        shared_.set(threshold.middle(), 20.0, attack.middle(), release.middle());
        for (int i = 0; i < now.frames; ++i) {
            const float key = heard(audio, now, channels_, i);
            const double gain = std::max<double>(shared_(0, key) / key, amplitude(-depth.at(now.offset + i)));
            for (int c = 0; c < channels_; ++c) audio[c][i] = static_cast<float>(audio[c][i] * gain);
        }
    }

private:
    int channels_ = 2;
    Squeezer shared_;
};

struct Gate {
    Knob threshold, ratio, attack, hold, release;
    bool link = true;

    void prepare(const RenderContext& context) {
        channels_ = context.channels;
        own_.prepare(context.rate, channels_);
        shared_.prepare(context.rate, 1);
    }
    void reset() {
        own_.reset();
        shared_.reset();
    }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        const bool alone = !link && now.side == nullptr;
        (alone ? own_ : shared_).set(threshold.middle(), ratio.middle(), attack.middle(), release.middle(), hold.middle());
        for (int i = 0; i < now.frames; ++i) {
            if (alone) {
                for (int c = 0; c < channels_; ++c) audio[c][i] = own_(static_cast<size_t>(c), audio[c][i]);
                continue;
            }
            const float key = heard(audio, now, channels_, i), gain = shared_(0, key) / key;
            for (int c = 0; c < channels_; ++c) audio[c][i] *= gain;
        }
    }

private:
    int channels_ = 2;
    Closer own_, shared_;
};

// Two compressors and a clipper.
struct Limiter {
    Knob threshold, release;

    void prepare(const RenderContext& context) {
        channels_ = context.channels;
        first_.prepare(context.rate, channels_);
        second_.prepare(context.rate, channels_);
        first_.set(-10.0, 4.0, 2.0, 200.0);
        up_.prepare(context.rate, 0.001);
        fresh_ = true;
    }
    void reset() {
        first_.reset();
        second_.reset();
        fresh_ = true;
    }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        second_.set(threshold.middle(), 1000.0, 0.001, release.middle());
        const float makeup = static_cast<float>(std::pow(10.0, 10.0 * (1.0 - 0.25) / 40.0));
        up_.to(makeup * single_amplitude(-threshold.middle()));
        if (fresh_) up_.settle();
        fresh_ = false;
        for (int i = 0; i < now.frames; ++i) {
            const float up = up_.next();
            for (int c = 0; c < channels_; ++c) {
                const size_t channel = static_cast<size_t>(c);
                audio[c][i] = std::clamp(second_(channel, first_(channel, audio[c][i])) * up, -1.0f, 1.0f);
            }
        }
    }

private:
    int channels_ = 2;
    bool fresh_ = true;
    Squeezer first_, second_;
    Glide up_;
};

// Looks ahead: the gain falls at once, stays down until the peak has gone by, and lets go on an exponential.
struct Brickwall {
    Knob ceiling, release;
    double lookahead = 5.0;
    bool true_peak = true;

    void prepare(const RenderContext& context) {
        channels_ = context.channels;
        rate_ = context.rate;
        ahead_ = std::max(1, static_cast<int>(context.rate * static_cast<float>(lookahead) / 1000.0f));
        if (true_peak) ahead_ += TruePeak::LATENCY;
        held_.assign(static_cast<size_t>(channels_), std::vector<float>(static_cast<size_t>(ahead_), 0.0f));
        peaks_.assign(held_.size(), TruePeak());
        reset();
    }
    void reset() {
        for (auto& line : held_) std::fill(line.begin(), line.end(), 0.0f);
        for (auto& peak : peaks_) peak.reset();
        gain_ = 1.0f;
        at_ = hold_ = 0;
    }
    int latency() const { return ahead_; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        const float top = std::pow(10.0f, static_cast<float>(ceiling.middle()) / 20.0f);
        const int frames = static_cast<int>(rate_ * static_cast<float>(release.middle()) / 1000.0f);
        const float back = 1.0f - std::exp(-1.0f / static_cast<float>(std::max(1, frames)));
        for (int i = 0; i < now.frames; ++i) {
            float peak = 0.0f;
            for (size_t c = 0; c < held_.size(); ++c) {
                const float in = audio[c][i];
                peak = std::max(peak, true_peak ? peaks_[c](in) : std::fabs(in));
            }
            const float wanted = peak > top ? top / peak : 1.0f;
            if (wanted < 1.0f) {
                gain_ = std::min(gain_, wanted);
                hold_ = ahead_;
            } else if (hold_ > 0) {
                --hold_;
            } else {
                gain_ += back * (1.0f - gain_);
            }
            for (size_t c = 0; c < held_.size(); ++c) {
                std::swap(audio[c][i], held_[c][static_cast<size_t>(at_)]);
                audio[c][i] = std::clamp(audio[c][i] * gain_, -top, top);
            }
            at_ = at_ + 1 == ahead_ ? 0 : at_ + 1;
        }
    }

private:
    int channels_ = 2, ahead_ = 1, at_ = 0, hold_ = 0;
    double rate_ = 44100.0;
    float gain_ = 1.0f;
    std::vector<std::vector<float>> held_;
    std::vector<TruePeak> peaks_;
};

}  // namespace mirepoix

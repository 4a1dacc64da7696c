// How steps stand behind and beside each other.
//
// Every step counts its own frames from the first one that reaches it, so its knobs stand where they should
// whatever latency lies before it; `behind` is that latency. Pieces never cross the host's grid, so they have
// GRID frames at most.

#pragma once

#include "studio/native/core/held.hpp"
#include "timeline.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

namespace mirepoix {

constexpr int CHANNELS = 2;

// The frame of the host a piece begins with, and all that has to be known about it.
struct Now {
    const Timeline& timeline;
    long long start;
    const float* const* side;
    const RenderContext& context;
};

// Pointers into the middle of a piece.
template <class Sample>
struct Window {
    Sample* channel[CHANNELS] = {};
    Window(Sample* const* audio, int channels, int first) {
        for (int index = 0; index < channels; ++index) channel[index] = audio[index] + first;
    }
};

// A few channels of a piece.
struct Scratch {
    float samples[CHANNELS][GRID];
    float* channel[CHANNELS] = {samples[0], samples[1]};
    void copy(const float* const* audio, int channels, int frames) {
        for (int index = 0; index < channels; ++index) std::copy_n(audio[index], frames, samples[index]);
    }
};

// Calls `each(first, frames, own)` for the pieces of [0, frames) that lie inside one cell of the clock that is
// at `own` when the first frame comes; what comes before its zero is not for it.
template <class Each>
void pieces(long long own, int frames, Each each) {
    int first = own < 0 ? static_cast<int>(std::min<long long>(-own, frames)) : 0;
    while (first < frames) {
        const int length = std::min(frames - first, GRID - static_cast<int>((own + first) % GRID));
        each(first, length, own + first);
        first += length;
    }
}

// The clock of something that stands behind latency.
class Clock {
  public:
    int prepare(int behind) {
        cell_ = -1;
        return behind_ = behind;
    }
    long long own(const Now& now) const { return now.start - behind_; }
    // Whether `own` lies in another cell than the frame before.
    bool enters(long long own) { return std::exchange(cell_, own / GRID) != own / GRID; }

  private:
    int behind_ = 0;
    long long cell_ = -1;
};

// One step. `Placed` says which it is, fixes what stays put and turns what moves.
template <class Placed>
class Station {
  public:
    int prepare(const RenderContext& context, int behind, const Point& start) {
        // A new one, since what it has worked out for another rate is of no use.
        step_ = typename Placed::Step();
        Placed::fix(step_);
        Placed::turn(step_, {start, start, start});
        step_.prepare(context);
        if (Placed::listens) side_.prepare(context.channels, behind);
        clock_.prepare(behind);
        return behind + step_.latency();
    }
    void reset() {
        step_.reset();
        if (Placed::listens) side_.reset();
    }
    double tail_seconds() const { return step_.tail_seconds(); }

    void process(float* const* audio, int frames, const Now& now) {
        const bool listens = Placed::listens && now.side;
        Scratch side;
        if (listens) {
            side.copy(now.side, now.context.channels, frames);
            side_.process(side.channel, frames);
        }
        pieces(clock_.own(now), frames, [&](int first, int length, long long own) {
            const Cell cell = now.timeline.at(own / GRID);
            if (clock_.enters(own)) Placed::turn(step_, cell);
            BlockContext moment;
            moment.start = own;
            moment.offset = static_cast<int>(own % GRID);
            moment.frames = length;
            moment.beat = cell.from.beat + moment.offset * cell.from.bpm / 60.0 / now.context.rate;
            moment.bpm = cell.from.bpm;
            const Window<const float> heard(side.channel, listens ? now.context.channels : 0, first);
            if (listens) moment.side = heard.channel;
            const Window<float> here(audio, now.context.channels, first);
            step_.process(here.channel, moment);
            // Until its latency is over there is nothing to hear, so what comes behind stays at rest.
            if (own < step_.latency()) {
                const int early = static_cast<int>(std::min<long long>(length, step_.latency() - own));
                for (int channel = 0; channel < now.context.channels; ++channel)
                    std::fill_n(here.channel[channel], early, 0.0f);
            }
        });
    }

  private:
    typename Placed::Step step_;
    Held side_;
    Clock clock_;
};

// Steps one behind the other.
template <class... Steps>
class Row {
  public:
    int prepare(const RenderContext& context, int behind, const Point& start) {
        each([&](auto& step) { behind = step.prepare(context, behind, start); });
        return behind;
    }
    void reset() {
        each([](auto& step) { step.reset(); });
    }
    double tail_seconds() const {
        return std::apply([](const auto&... step) { return (0.0 + ... + step.tail_seconds()); }, steps_);
    }
    void process(float* const* audio, int frames, const Now& now) {
        each([&](auto& step) { step.process(audio, frames, now); });
    }

  private:
    template <class Each>
    void each(Each act) {
        std::apply([&](auto&... step) { (act(step), ...); }, steps_);
    }

    std::tuple<Steps...> steps_;
};

struct Mix {
    Knob mix;
};

// A chain against the dry sound. The mix belongs to the frame that went in, so both carry it before the latency.
template <class Placed, class Chain>
class Parallel {
  public:
    int prepare(const RenderContext& context, int behind, const Point& start) {
        Placed::fix(step_);
        Placed::turn(step_, {start, start, start});
        clock_.prepare(behind);
        const int after = chain_.prepare(context, behind, start);
        dry_.prepare(context.channels, after - behind);
        mixes_.prepare(1, after - behind);
        return after;
    }
    void reset() {
        chain_.reset();
        dry_.reset();
        mixes_.reset();
    }
    double tail_seconds() const { return chain_.tail_seconds(); }

    void process(float* const* audio, int frames, const Now& now) {
        const long long begin = clock_.own(now);
        // Side inputs inside are held back from the first frame of the host.
        if (begin < 0) chain_.process(audio, static_cast<int>(std::min<long long>(-begin, frames)), now);
        pieces(begin, frames, [&](int first, int length, long long own) {
            if (clock_.enters(own)) Placed::turn(step_, now.timeline.at(own / GRID));
            const int channels = now.context.channels;
            const Window<float> here(audio, channels, first);
            const Window<const float> side(now.side, now.side ? channels : 0, first);
            Scratch dry, mixes;
            for (int frame = 0; frame < length; ++frame) {
                const double mix = step_.mix.at(static_cast<int>(own % GRID) + frame);
                mixes.samples[0][frame] = static_cast<float>(mix);
                for (int channel = 0; channel < channels; ++channel)
                    dry.samples[channel][frame] = static_cast<float>(here.channel[channel][frame] * (1.0 - mix));
            }
            dry_.process(dry.channel, length);
            mixes_.process(mixes.channel, length);
            chain_.process(here.channel, length, {now.timeline, now.start + first, now.side ? side.channel : nullptr, now.context});
            for (int channel = 0; channel < channels; ++channel)
                for (int frame = 0; frame < length; ++frame)
                    here.channel[channel][frame] =
                        dry.samples[channel][frame] + here.channel[channel][frame] * mixes.samples[0][frame];
        });
    }

  private:
    Mix step_;
    Chain chain_;
    Held dry_, mixes_;
    Clock clock_;
};

// Chains side by side, in time whatever latency each has; feed() says what each of them gets.
template <class... Chains>
class Beside {
  public:
    int prepare(const RenderContext& context, int behind, const Point& start) {
        std::array<int, sizeof...(Chains)> after;
        std::size_t index = 0;
        std::apply([&](auto&... chain) { ((after[index++] = chain.prepare(context, behind, start)), ...); }, chains_);
        const int last = *std::max_element(after.begin(), after.end());
        for (index = 0; index < after.size(); ++index) held_[index].prepare(context.channels, last - after[index]);
        return last;
    }
    void reset() {
        std::apply([](auto&... chain) { (chain.reset(), ...); }, chains_);
        for (auto& held : held_) held.reset();
    }
    double tail_seconds() const {
        return std::apply([](const auto&... chain) { return std::max({chain.tail_seconds()...}); }, chains_);
    }
    // Runs every chain on its own sound, and leaves the sum in `audio`.
    void process(Scratch* sounds, float* const* audio, int frames, const Now& now) {
        std::size_t index = 0;
        std::apply([&](auto&... chain) { (chain.process(sounds[index++].channel, frames, now), ...); }, chains_);
        for (index = 0; index < sizeof...(Chains); ++index) {
            held_[index].process(sounds[index].channel, frames);
            for (int channel = 0; channel < now.context.channels; ++channel)
                for (int frame = 0; frame < frames; ++frame) {
                    const float sample = sounds[index].samples[channel][frame];
                    audio[channel][frame] = index ? audio[channel][frame] + sample : sample;
                }
        }
    }

  private:
    std::tuple<Chains...> chains_;
    std::array<Held, sizeof...(Chains)> held_;
};

template <class... Chains>
class Layers : public Beside<Chains...> {
  public:
    void process(float* const* audio, int frames, const Now& now) {
        Scratch sounds[sizeof...(Chains)];
        for (auto& sound : sounds) sound.copy(audio, now.context.channels, frames);
        Beside<Chains...>::process(sounds, audio, frames, now);
    }
};

}  // namespace mirepoix

// Steps behind and beside each other, put together when the program runs.
//
// Every step counts its own frames from the first one that reaches it, so its knobs stand where they should whatever
// latency lies before it; `behind` is that latency. A piece never crosses the grid of what goes in, so it has GRID frames
// at most; each step cuts it again where its own cells meet.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "held.hpp"
#include "step.hpp"

namespace mirepoix {

constexpr int MOST_CHANNELS = 64;

// Where the song is at the beginning of a cell.
struct SongCell {
    double seconds, beat, bpm;
};

// Where what moves stands, for all cells that a block reaches: a row of cells for each, from `first[row]` on, or one for
// all of them where that is below zero. Without a table of the song it goes straight on from frame 0, always at `bpm`.
struct Tables {
    const Knob* knobs = nullptr;
    const long long *first = nullptr, *offset = nullptr;
    const SongCell* song = nullptr;
    long long song_first = 0;
    double bpm = 120.0;

    const Knob& at(int row, long long cell) const { return knobs[offset[row] + (first[row] < 0 ? 0 : cell - first[row])]; }
    SongCell song_at(long long cell, double rate) const {
        if (song) return song[cell - song_first];
        const double seconds = static_cast<double>(cell * GRID) / rate;
        return {seconds, seconds * bpm / 60.0, bpm};
    }
};

// The first step that gave NaN or infinity, and the frame of its own clock.
struct Failure {
    int step = -1;
    long long frame = 0;
};

// The frame a piece begins with, counted from the beginning, and all that has to be known about it.
struct Piece {
    long long start;
    const Tables& tables;
    const float* const* sides;  // one channel of one side input behind the other, at the first frame of the piece; or nothing
    int channels;
    Failure& failure;
};

class Node {
  public:
    virtual ~Node() = default;
    // Gets ready with all state at rest; gives what lies behind it. It alone asks for memory, and may throw bad_alloc.
    virtual int prepare(const RenderContext& context, long long begin, int behind) = 0;
    virtual void reset() = 0;
    virtual double tail_seconds() const = 0;
    virtual void process(float* const* audio, int frames, const Piece& now) = 0;

    // The latency that lies before it.
    int behind() const { return behind_; }

  protected:
    int behind_ = 0;
};
using NodePointer = std::unique_ptr<Node>;

// A few channels of a piece.
struct Scratch {
    float samples[MOST_CHANNELS][GRID];

    void copy(const float* const* audio, int channels, int frames) {
        for (int index = 0; index < channels; ++index) std::copy_n(audio[index], frames, samples[index]);
    }
};

// Pointers into the middle of a piece.
template <class Sample>
struct Window {
    Sample* channel[MOST_CHANNELS];

    Window(Sample* const* audio, int channels, int first) {
        for (int index = 0; index < channels; ++index) channel[index] = audio[index] + first;
    }
    explicit Window(Scratch& scratch) {
        for (int index = 0; index < MOST_CHANNELS; ++index) channel[index] = scratch.samples[index];
    }
};

// The clock of something that stands behind latency.
class Clock {
  public:
    void prepare(long long begin, int behind) { begin_ = begin, behind_ = behind, cell_ = begin / GRID - 1; }
    void reset() { cell_ = begin_ / GRID - 1; }

    // Calls `each(first, frames, own)` for the parts of a piece that lie inside one cell of this clock, `own` being its
    // frame; what comes before its first frame is not for it.
    template <class Each>
    void cut(long long start, int frames, Each each) const {
        const long long early = begin_ + behind_ - start;
        int first = early > 0 ? static_cast<int>(std::min<long long>(early, frames)) : 0;
        while (first < frames) {
            const long long own = start - behind_ + first;
            const int length = std::min(frames - first, GRID - static_cast<int>(own % GRID));
            each(first, length, own);
            first += length;
        }
    }
    // Whether `own` lies in another cell than the frame before.
    bool enters(long long own) { return std::exchange(cell_, own / GRID) != own / GRID; }
    long long since_begin(long long own) const { return own - begin_; }

  private:
    long long begin_ = 0, cell_ = -1;
    int behind_ = 0;
};

inline bool finite(const float* samples, int frames) {
    std::uint32_t wild = 0;
    for (int frame = 0; frame < frames; ++frame) {
        std::uint32_t bits;
        std::memcpy(&bits, samples + frame, sizeof bits);
        wild |= (bits & 0x7F800000u) == 0x7F800000u;
    }
    return !wild;
}

// One step, and how its members are set.
class StepNode final : public Node {
  public:
    StepNode(const StepType& type, int index) : type_(type), index_(index), step_(type.make()) {
        if (!step_) throw std::bad_alloc();
    }
    ~StepNode() override { type_.free(step_); }
    StepNode(const StepNode&) = delete;
    StepNode& operator=(const StepNode&) = delete;

    void still(int member, double value) { type_.set(step_, member, {value, value, 0.0}); }
    void moving(int member, int row) { moving_.push_back({member, row}); }
    void give(int member, const Response& response) { type_.give(step_, member, response); }
    void listen(int side) { side_ = side; }
    void follow_beats() { beats_ = true; }

    const StepType& type() const { return type_; }

    int prepare(const RenderContext& context, long long begin, int behind) override {
        rate_ = context.rate;
        if (!type_.prepare(step_, context)) throw std::bad_alloc();
        if (side_ >= 0) held_.prepare(context.channels, behind);
        clock_.prepare(begin, behind);
        behind_ = behind;
        latency_ = type_.latency(step_);
        return behind + latency_;
    }
    void reset() override {
        type_.reset(step_);
        if (side_ >= 0) held_.reset();
        clock_.reset();
    }
    double tail_seconds() const override { return type_.tail_seconds(step_); }

    void process(float* const* audio, int frames, const Piece& now) override {
        Scratch side;
        Window<float> heard(side);
        const bool listens = side_ >= 0 && now.sides;
        if (listens) {
            side.copy(now.sides + side_ * now.channels, now.channels, frames);
            held_.process(heard.channel, frames);
        }
        clock_.cut(now.start, frames, [&](int first, int length, long long own) {
            const SongCell song = now.tables.song_at(own / GRID, rate_);
            if (clock_.enters(own))
                for (const Moving& each : moving_) type_.set(step_, each.member, now.tables.at(each.row, own / GRID));
            BlockContext moment;
            moment.start = own;
            moment.offset = static_cast<int>(own % GRID);
            moment.frames = length;
            moment.bpm = song.bpm;
            // What does not follow the beats of the song counts seconds, at whatever tempo.
            moment.beat = (beats_ ? song.beat : song.seconds * song.bpm / 60.0) + moment.offset * song.bpm / 60.0 / rate_;
            const Window<float> beside(heard.channel, listens ? now.channels : 0, first), here(audio, now.channels, first);
            if (listens) moment.side = beside.channel;
            type_.process(step_, here.channel, moment);
            for (int channel = 0; channel < now.channels; ++channel)
                if (now.failure.step < 0 && !finite(here.channel[channel], length)) now.failure = {index_, own};
            // Until its latency is over there is nothing to hear, so what comes behind stays at rest.
            const long long early = latency_ - clock_.since_begin(own);
            if (early > 0)
                for (int channel = 0; channel < now.channels; ++channel)
                    std::fill_n(here.channel[channel], std::min<long long>(length, early), 0.0f);
        });
    }

  private:
    const StepType& type_;
    int index_, side_ = -1, latency_ = 0;
    bool beats_ = false;
    double rate_ = 44100.0;
    void* step_;
    struct Moving {
        int member, row;
    };
    std::vector<Moving> moving_;
    Held held_;
    Clock clock_;
};

// Steps one behind the other.
class Chain final : public Node {
  public:
    void add(NodePointer node) { nodes_.push_back(std::move(node)); }

    int prepare(const RenderContext& context, long long begin, int behind) override {
        for (auto& node : nodes_) behind = node->prepare(context, begin, behind);
        return behind;
    }
    void reset() override {
        for (auto& node : nodes_) node->reset();
    }
    double tail_seconds() const override {
        double sum = 0.0;
        for (const auto& node : nodes_) sum += node->tail_seconds();
        return sum;
    }
    void process(float* const* audio, int frames, const Piece& now) override {
        for (auto& node : nodes_) node->process(audio, frames, now);
    }

  private:
    std::vector<NodePointer> nodes_;
};

// A chain against the dry sound. The mix belongs to the frame that went in, so both carry it before the latency.
class Parallel final : public Node {
  public:
    Parallel(Knob mix, int row, NodePointer chain) : mix_(mix), row_(row), chain_(std::move(chain)) {}

    int prepare(const RenderContext& context, long long begin, int behind) override {
        clock_.prepare(begin, behind);
        behind_ = behind;
        const int after = chain_->prepare(context, begin, behind);
        dry_.prepare(context.channels, after - behind);
        mixes_.prepare(1, after - behind);
        return after;
    }
    void reset() override {
        chain_->reset();
        dry_.reset();
        mixes_.reset();
        clock_.reset();
    }
    double tail_seconds() const override { return chain_->tail_seconds(); }

    void process(float* const* audio, int frames, const Piece& now) override {
        Scratch dry, mixes;
        // The chain is told of every frame, since side inputs inside are held back from the first one.
        std::memset(&dry, 0, sizeof dry);
        std::memset(&mixes, 0, sizeof mixes);
        clock_.cut(now.start, frames, [&](int first, int length, long long own) {
            if (clock_.enters(own) && row_ >= 0) mix_ = now.tables.at(row_, own / GRID);
            for (int frame = first; frame < first + length; ++frame) {
                const double mix = mix_.at(static_cast<int>(own % GRID) + frame - first);
                mixes.samples[0][frame] = static_cast<float>(mix);
                for (int channel = 0; channel < now.channels; ++channel)
                    dry.samples[channel][frame] = static_cast<float>(audio[channel][frame] * (1.0 - mix));
            }
        });
        dry_.process(Window<float>(dry).channel, frames);
        mixes_.process(Window<float>(mixes).channel, frames);
        chain_->process(audio, frames, now);
        for (int channel = 0; channel < now.channels; ++channel)
            for (int frame = 0; frame < frames; ++frame)
                audio[channel][frame] = dry.samples[channel][frame] + audio[channel][frame] * mixes.samples[0][frame];
    }

  private:
    Knob mix_;
    int row_;
    NodePointer chain_;
    Held dry_, mixes_;
    Clock clock_;
};

// Chains side by side, added up in time whatever latency each has.
class Layers : public Node {
  public:
    void add(NodePointer chain) { chains_.push_back(std::move(chain)); }

    int prepare(const RenderContext& context, long long begin, int behind) override {
        std::vector<int> after;
        for (auto& chain : chains_) after.push_back(chain->prepare(context, begin, behind));
        const int last = after.empty() ? behind : *std::max_element(after.begin(), after.end());
        held_.resize(chains_.size());
        sounds_.resize(chains_.size());
        for (std::size_t index = 0; index < after.size(); ++index) held_[index].prepare(context.channels, last - after[index]);
        return last;
    }
    void reset() override {
        for (auto& chain : chains_) chain->reset();
        for (auto& held : held_) held.reset();
    }
    double tail_seconds() const override {
        double longest = 0.0;
        for (const auto& chain : chains_) longest = std::max(longest, chain->tail_seconds());
        return longest;
    }
    void process(float* const* audio, int frames, const Piece& now) override {
        for (auto& sound : sounds_) sound.copy(audio, now.channels, frames);
        add_up(audio, frames, now);
    }

  protected:
    // Runs every chain on its own sound, and leaves the sum in `audio`.
    void add_up(float* const* audio, int frames, const Piece& now) {
        for (std::size_t index = 0; index < chains_.size(); ++index) {
            const Window<float> sound(sounds_[index]);
            chains_[index]->process(sound.channel, frames, now);
            held_[index].process(sound.channel, frames);
            for (int channel = 0; channel < now.channels; ++channel)
                for (int frame = 0; frame < frames; ++frame)
                    audio[channel][frame] = index ? audio[channel][frame] + sound.channel[channel][frame] : sound.channel[channel][frame];
        }
    }

    std::vector<NodePointer> chains_;
    std::vector<Held> held_;
    std::vector<Scratch> sounds_;
};

}  // namespace mirepoix

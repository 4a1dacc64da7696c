// The core: chains made of text, played a block a call. A plain C interface; `studio/native_chain.py` calls it.
//
// A chain belongs to one thread at a time; different ones may run on as many threads as there are. Nothing but
// `mirepoix_make` and `mirepoix_prepare` asks for memory.

#include "tree.hpp"

#include <cstdio>
#include <mutex>

#include "package.hpp"
#include "subnormals.hpp"

namespace {

using namespace mirepoix;

struct Instance {
    NodePointer whole;
    std::vector<const Node*> rows;
    std::vector<const float*> heard;  // room for the pointers to side inputs
    int sides = 0, channels = 0;
    long long position = 0, begin = 0;
};

// The libraries whose steps are known.
std::mutex joining;
std::vector<StepTypes> joined;

std::vector<StepTypes> known() {
    const std::lock_guard<std::mutex> guard(joining);
    return joined;
}

}  // namespace

// Makes the steps of a library known. Gives 0, or what version of the tables the core has instead.
MIREPOIX_EXPORT int mirepoix_join(const StepTypes* types) {
    if (types->abi != ABI) return ABI;
    const std::lock_guard<std::mutex> guard(joining);
    joined.push_back(*types);
    return 0;
}

// A chain made of text; null, and `error` says why, when the text is none. Responses live until it is freed.
MIREPOIX_EXPORT void* mirepoix_make(const char* tree, const Response* responses, int count, char* error, int room) {
    try {
        auto made = std::make_unique<Instance>();
        TreeReader reader(tree, known(), responses, count);
        made->whole = reader.read();
        if (made->whole) {
            made->rows = reader.rows;
            made->sides = reader.sides;
            return made.release();
        }
        std::snprintf(error, static_cast<std::size_t>(room), "%s", reader.error.c_str());
    } catch (const std::bad_alloc&) {
        std::snprintf(error, static_cast<std::size_t>(room), "there is not enough memory");
    }
    return nullptr;
}

MIREPOIX_EXPORT void mirepoix_free(void* chain) { delete static_cast<Instance*>(chain); }

// Gets ready, all at rest, to take frame `begin` of the song, a multiple of the grid. Gives the latency, or -1 when
// there is not enough memory.
MIREPOIX_EXPORT int mirepoix_prepare(void* chain, double rate, int channels, long long begin) {
    const NoSubnormals guard;
    Instance& it = *static_cast<Instance*>(chain);
    try {
        it.channels = channels;
        it.position = it.begin = begin;
        it.heard.assign(static_cast<std::size_t>(it.sides * channels), nullptr);
        RenderContext context;
        context.rate = rate;
        context.channels = channels;
        return it.whole->prepare(context, begin, 0);
    } catch (const std::bad_alloc&) {
        return -1;
    }
}

MIREPOIX_EXPORT void mirepoix_reset(void* chain) {
    Instance& it = *static_cast<Instance*>(chain);
    it.whole->reset();
    it.position = it.begin;
}

MIREPOIX_EXPORT double mirepoix_tail_seconds(const void* chain) { return static_cast<const Instance*>(chain)->whole->tail_seconds(); }

// The latency before the step whose knob stands in a row of the tables.
MIREPOIX_EXPORT int mirepoix_behind(const void* chain, int row) {
    return static_cast<const Instance*>(chain)->rows[static_cast<std::size_t>(row)]->behind();
}

// The next block, in place: channels one behind the other, as are those of each side input, where there are
// any: without, steps listen to their own sound. Gives -1, or the number of
// the first step that gave NaN or infinity, and the frame of its own clock at which it did.
MIREPOIX_EXPORT int mirepoix_process(void* chain, float* audio, long long frames, const Tables* tables, const float* sides, long long* failed) {
    const NoSubnormals guard;
    Instance& it = *static_cast<Instance*>(chain);
    Failure failure;
    for (long long done = 0; done < frames && failure.step < 0;) {
        const int length = static_cast<int>(std::min<long long>(frames - done, GRID - it.position % GRID));
        float* here[MOST_CHANNELS];
        for (int channel = 0; channel < it.channels; ++channel) here[channel] = audio + channel * frames + done;
        for (std::size_t index = 0; sides && index < it.heard.size(); ++index)
            it.heard[index] = sides + static_cast<long long>(index) * frames + done;
        it.whole->process(here, length, {it.position, *tables, sides ? it.heard.data() : nullptr, it.channels, failure});
        it.position += length;
        done += length;
    }
    *failed = failure.frame;
    return failure.step;
}

// A step as other code sees it: a table of C functions over the struct beside a Python class.
//
// Only such tables cross from one shared library to another, so a package of steps may be compiled by another compiler
// than the core.

#pragma once

#include <cmath>
#include <new>
#include <tuple>
#include <type_traits>

#include "studio/effects/context.hpp"
#include "studio/effects/response.hpp"

namespace mirepoix {

constexpr int ABI = 1;  // raised whenever something in this file, or in context.hpp or response.hpp, changes its layout

struct StepType {
    const char* name;  // of the Python class, with its module
    int count;         // of members
    const char* const* members;
    void* (*make)();
    void (*free)(void*);
    void (*set)(void*, int member, const Knob&);       // what does not move takes `from`
    void (*give)(void*, int member, const Response&);  // before prepare(); it lives as long as the step
    bool (*prepare)(void*, const RenderContext&);      // false: there is not enough memory
    void (*reset)(void*);
    void (*process)(void*, float* const*, const BlockContext&);
    int (*latency)(const void*);
    double (*tail_seconds)(const void*);
};

// What a library of steps exports as `mirepoix_steps`.
struct StepTypes {
    int abi, count;
    const StepType* types;
};

// Specialised for each step by what `studio/native/glue.py` writes: `names`, and pointers to the members of these names.
template <class Step>
struct Members;

template <class Step>
class Glue {
  public:
    static constexpr StepType type(const char* name) {
        return {name, COUNT, Members<Step>::names, make, free, set, give, prepare, reset, process, latency, tail_seconds};
    }

  private:
    static constexpr auto& POINTERS = Members<Step>::pointers;
    static constexpr int COUNT = static_cast<int>(std::tuple_size_v<std::remove_cv_t<std::remove_reference_t<decltype(POINTERS)>>>);

    static Step& at(void* step) { return *static_cast<Step*>(step); }
    static void* make() { return new (std::nothrow) Step(); }
    static void free(void* step) { delete static_cast<Step*>(step); }
    static void set(void* step, int member, const Knob& value) {
        visit(step, member, [&](auto& place) { assign(place, value); });
    }
    static void give(void* step, int member, const Response& value) {
        visit(step, member, [&](auto& place) {
            if constexpr (std::is_same_v<decltype(place), Response&>) place = value;
        });
    }
    static bool prepare(void* step, const RenderContext& context) {
        try {
            at(step).prepare(context);
            at(step).reset();
            return true;
        } catch (const std::bad_alloc&) {
            return false;
        }
    }
    static void reset(void* step) { at(step).reset(); }
    static void process(void* step, float* const* audio, const BlockContext& now) { at(step).process(audio, now); }
    static int latency(const void* step) { return static_cast<const Step*>(step)->latency(); }
    static double tail_seconds(const void* step) { return static_cast<const Step*>(step)->tail_seconds(); }

    static void assign(Knob& place, const Knob& value) { place = value; }
    static void assign(double& place, const Knob& value) { place = value.from; }
    static void assign(int& place, const Knob& value) { place = static_cast<int>(std::lround(value.from)); }
    static void assign(bool& place, const Knob& value) { place = value.from != 0.0; }
    static void assign(Response&, const Knob&) {}

    template <class Act>
    static void visit(void* step, int member, Act act) {
        int index = 0;
        std::apply([&](auto... pointer) { ((index++ == member ? act(at(step).*pointer) : void()), ...); }, POINTERS);
    }
};

}  // namespace mirepoix

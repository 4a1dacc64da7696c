// Where the plugin's parameters and the song's clock stood on the grid; steps behind latency look back into it.

#pragma once

#include "studio/effects/chance.hpp"
#include "studio/effects/context.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace mirepoix {

// One frame.
struct Point {
    double* knobs = nullptr;
    double seconds = 0.0;  // since the beginning
    double beat = 0.0;
    double bpm = 120.0;
    double bar = 4.0;  // quarter notes in a bar
};

// A cell of the grid: its first frame, its middle, and the first frame of the next.
struct Cell {
    const Point &from, &middle, &to;
};

class Timeline {
  public:
    // Remembers `reach` frames.
    void prepare(int knobs, int reach) {
        knobs_ = static_cast<std::size_t>(knobs);
        const std::size_t size = static_cast<std::size_t>(reach / GRID + 4);
        values_.assign(2 * size * knobs_, 0.0);
        points_.assign(size, Point{});
        middles_.assign(size, Point{});
        for (std::size_t index = 0; index < size; ++index) {
            points_[index].knobs = values_.data() + 2 * index * knobs_;
            middles_[index].knobs = points_[index].knobs + knobs_;
        }
    }

    // Says where everything stands at the beginning of a cell.
    void note(long long cell, const Point& point) { copy(point, points_[place(cell)]); }
    // Says where everything will stand at its end.
    void foresee(long long cell, const Point& point) {
        copy(point, points_[place(cell + 1)]);
        const Point &from = points_[place(cell)], &to = points_[place(cell + 1)];
        Point& middle = middles_[place(cell)];
        for (std::size_t knob = 0; knob < knobs_; ++knob) middle.knobs[knob] = 0.5 * (from.knobs[knob] + to.knobs[knob]);
        middle = {middle.knobs, 0.5 * (from.seconds + to.seconds), 0.5 * (from.beat + to.beat), from.bpm, from.bar};
    }
    Cell at(long long cell) const { return {points_[place(cell)], middles_[place(cell)], points_[place(cell + 1)]}; }
    double* knobs(long long cell) { return points_[place(cell)].knobs; }

  private:
    std::size_t place(long long cell) const { return static_cast<std::size_t>(cell) % points_.size(); }
    void copy(const Point& from, Point& to) {
        double* const knobs = to.knobs;
        if (from.knobs != knobs) std::copy_n(from.knobs, knobs_, knobs);
        to = from;
        to.knobs = knobs;
    }

    std::size_t knobs_ = 0;
    std::vector<double> values_;
    std::vector<Point> points_, middles_;
};

// The same arithmetic as in a render: where a macro stands on its range …
inline double linear_position(double value, double low, double high) { return (value - low) / (high - low); }
inline double log_position(double value, double low, double high) { return std::log(value / low) / std::log(high / low); }

// … and where that puts the knobs it drives.
inline double linear(double position, double low, double high) { return low + (high - low) * position; }
inline double exponential(double position, double low, double high) { return low * std::pow(high / low, position); }
inline double smooth(double position, double low, double high) {
    return linear(position * position * (3.0 - 2.0 * position), low, high);
}
inline double step(double position, double low, double high) { return linear(std::floor(position), low, high); }

// Waves of an LFO, from 0 to 1, over cycles.
inline double part(double cycle) {
    // Rounded as in a render, so that edges fall on the same frame.
    const double round = std::nearbyint(cycle * 1.0e9) / 1.0e9;
    return round - std::floor(round);
}
inline double sine(double cycle) { return 0.5 - 0.5 * std::cos(2.0 * 3.14159265358979323846 * cycle); }
inline double triangle(double cycle) { return 1.0 - std::fabs(2.0 * part(cycle) - 1.0); }
inline double up(double cycle) { return part(cycle); }
inline double down(double cycle) { return 1.0 - part(cycle); }
inline double square(double cycle) { return part(cycle) < 0.5 ? 1.0 : 0.0; }
inline double random(double cycle, long long seed) { return Chances().at(std::nearbyint(cycle * 1.0e9) / 1.0e9, false, seed); }
inline double drift(double cycle, long long seed) { return Chances().at(std::nearbyint(cycle * 1.0e9) / 1.0e9, true, seed); }

template <class Map>
void move(Knob& knob, const Cell& cell, Map map) {
    knob.from = map(cell.from);
    knob.to = map(cell.to);
    knob.bow = knob.moves() ? map(cell.middle) - 0.5 * (knob.from + knob.to) : 0.0;
}

inline void hold(Knob& knob, double value) { knob = {value, value, 0.0}; }

}  // namespace mirepoix

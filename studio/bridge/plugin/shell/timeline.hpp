// Where the plugin's parameters and the song's clock stood on the grid; steps behind latency look back into it.

#pragma once

#include "studio/effects/stage.hpp"

#include <cmath>
#include <cstddef>
#include <vector>

namespace mirepoix {

// One frame of the grid.
struct Point {
    double* knobs = nullptr;
    double seconds = 0.0;  // since the beginning
    double beat = 0.0;
    double bpm = 120.0;
    double bar = 4.0;  // quarter notes in a bar
};

class Timeline {
  public:
    // Remembers `reach` frames.
    void prepare(int knobs, int reach) {
        const std::size_t size = static_cast<std::size_t>(reach / GRID + 4);
        values_.assign(size * static_cast<std::size_t>(knobs), 0.0);
        points_.assign(size, Point{});
        for (std::size_t index = 0; index < size; ++index)
            points_[index].knobs = values_.data() + index * static_cast<std::size_t>(knobs);
    }

    Point& at(long long cell) { return points_[static_cast<std::size_t>(cell) % points_.size()]; }
    const Point& at(long long cell) const { return points_[static_cast<std::size_t>(cell) % points_.size()]; }

  private:
    std::vector<double> values_;
    std::vector<Point> points_;
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
inline double part(double cycle) { return cycle - std::floor(cycle); }
inline double sine(double cycle) { return 0.5 - 0.5 * std::cos(2.0 * 3.14159265358979323846 * cycle); }
inline double triangle(double cycle) { return 1.0 - std::fabs(2.0 * part(cycle) - 1.0); }
inline double up(double cycle) { return part(cycle); }
inline double down(double cycle) { return 1.0 - part(cycle); }
inline double square(double cycle) { return part(cycle) < 0.5 ? 1.0 : 0.0; }

template <class Map>
void move(Knob& knob, const Point& from, const Point& to, Map map) {
    knob.from = map(from);
    knob.to = map(to);
}

inline void hold(Knob& knob, double value) { knob.from = knob.to = value; }

}  // namespace mirepoix

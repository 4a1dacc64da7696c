// Convolution with a long response, and nothing late: the first 64 taps one by one, the next ones in pieces of 64 through
// a Fourier transform, the rest in pieces of 1024 whose work is spread over the cells of the grid (W. G. Gardner,
// "Efficient Convolution without Input-Output Delay", JAES 43, 1995). All work is done at the ends of cells.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "context.hpp"

namespace mirepoix {

// A complex Fourier transform of SIZE points, out of place and in order (Stockham).
template <int SIZE>
class Fourier {
  public:
    struct Points {
        double re[SIZE], im[SIZE];
    };

    void prepare() {
        for (int k = 0; k < SIZE / 2; ++k) {
            const double angle = -2.0 * 3.14159265358979323846 * k / SIZE;
            cos_[k] = std::cos(angle);
            sin_[k] = std::sin(angle);
        }
    }
    // What is in `x` is replaced; `y` is for work.
    void operator()(Points& x, Points& y) const {
        Points *from = &x, *to = &y;
        for (int n = SIZE, s = 1; n > 1; n /= 2, s *= 2) {
            for (int p = 0; p < n / 2; ++p) {
                const double c = cos_[p * s], d = sin_[p * s];
                const double *ar = from->re + s * p, *ai = from->im + s * p;
                const double *br = ar + SIZE / 2, *bi = ai + SIZE / 2;
                double *ur = to->re + 2 * s * p, *ui = to->im + 2 * s * p, *vr = ur + s, *vi = ui + s;
                for (int q = 0; q < s; ++q) {
                    const double re = ar[q] - br[q], im = ai[q] - bi[q];
                    ur[q] = ar[q] + br[q];
                    ui[q] = ai[q] + bi[q];
                    vr[q] = re * c - im * d;
                    vi[q] = re * d + im * c;
                }
            }
            std::swap(from, to);
        }
        if (from != &x) x = y;
    }

  private:
    double cos_[SIZE / 2], sin_[SIZE / 2];
};

// Pieces of SIZE taps, from tap `first` on. Two channels are the two parts of one complex sound.
template <int SIZE>
class Pieces {
  public:
    // How many pieces hold the taps from `first` up to `last`.
    void prepare(const std::vector<double>* taps, int channels, int first, int last) {
        const int length = std::min(last, static_cast<int>(taps[0].size())) - first;
        count_ = length > 0 ? (length + SIZE - 1) / SIZE : 0;
        if (!count_) return;
        channels_ = channels;
        fourier_.prepare();
        heard_.assign(static_cast<std::size_t>(count_), Spectrum{});
        pieces_.assign(static_cast<std::size_t>(count_), Spectrum{});
        work_.assign(2, {});
        for (int piece = 0; piece < count_; ++piece) {
            auto& points = work_[0];
            points = {};
            for (int i = 0; i < SIZE; ++i) {
                const int tap = first + piece * SIZE + i;
                if (tap >= first + length) break;
                points.re[i] = taps[0][static_cast<std::size_t>(tap)] / (2.0 * SIZE);
                if (channels == 2) points.im[i] = taps[1][static_cast<std::size_t>(tap)] / (2.0 * SIZE);
            }
            split(pieces_[static_cast<std::size_t>(piece)]);
        }
        reset();
    }
    void reset() {
        for (auto& spectrum : heard_) spectrum = {};
        last_ = {};
        sum_ = {};
        newest_ = 0;
    }
    int count() const { return count_; }

    // The next SIZE frames that came in.
    void take(const float* const* audio) {
        auto& points = work_[0];
        for (int c = 0; c < 2; ++c) {
            double* const part = c ? points.im : points.re;
            if (c >= channels_) {
                std::fill_n(part, 2 * SIZE, 0.0);
                continue;
            }
            std::copy_n(last_.channel[c], SIZE, part);
            std::copy_n(audio[c], SIZE, part + SIZE);
            std::copy_n(audio[c], SIZE, last_.channel[c]);
        }
        newest_ = newest_ ? newest_ - 1 : count_ - 1;
        split(heard_[static_cast<std::size_t>(newest_)]);
        sum_ = {};
    }
    // Adds what pieces `first` to `last` make of what came in.
    void add(int first, int last) {
        for (int piece = first; piece < last; ++piece) {
            const Spectrum& x = heard_[static_cast<std::size_t>((newest_ + piece) % count_)];
            const Spectrum& h = pieces_[static_cast<std::size_t>(piece)];
            for (int c = 0; c < channels_; ++c) {
                const double *__restrict xr = x.re[c], *__restrict xi = x.im[c];
                const double *__restrict hr = h.re[c], *__restrict hi = h.im[c];
                double *__restrict yr = sum_.re[c], *__restrict yi = sum_.im[c];
                const double whole = xr[0] * hr[0], middle = xi[0] * hi[0], re = yr[0], im = yi[0];
                for (int k = 0; k < SIZE; ++k) {
                    yr[k] += xr[k] * hr[k] - xi[k] * hi[k];
                    yi[k] += xr[k] * hi[k] + xi[k] * hr[k];
                }
                yr[0] = re + whole;
                yi[0] = im + middle;
            }
        }
    }
    // The sum as SIZE frames.
    void give(double (*out)[SIZE]) {
        auto& points = work_[0];
        // With the parts swapped, the transform is its own way back.
        for (int k = 0; k <= SIZE; ++k) {
            const int mirror = k ? 2 * SIZE - k : 0;
            const bool edge = k == 0 || k == SIZE;
            const auto part = [&](int c) {
                struct { double re, im; } z{0.0, 0.0};
                if (c >= channels_) return z;
                z.re = k == SIZE ? sum_.im[c][0] : sum_.re[c][k];
                z.im = edge ? 0.0 : sum_.im[c][k];
                return z;
            };
            const auto left = part(0), right = part(1);
            points.im[k] = left.re - right.im;
            points.re[k] = left.im + right.re;
            if (edge) continue;
            points.im[mirror] = left.re + right.im;
            points.re[mirror] = right.re - left.im;
        }
        fourier_(points, work_[1]);
        std::copy_n(points.im + SIZE, SIZE, out[0]);
        if (channels_ == 2) std::copy_n(points.re + SIZE, SIZE, out[1]);
    }

  private:
    // Of two real sounds, bins 0 to SIZE; the real number of the last one stands where the first has no imaginary part.
    struct Spectrum {
        double re[2][SIZE] = {}, im[2][SIZE] = {};
    };
    struct Frames {
        float channel[2][SIZE] = {};
    };
    using Points = typename Fourier<2 * SIZE>::Points;

    void split(Spectrum& spectrum) {
        auto& points = work_[0];
        fourier_(points, work_[1]);
        for (int k = 0; k < SIZE; ++k) {
            const int other = k ? 2 * SIZE - k : SIZE;
            const double re = points.re[k], im = points.im[k], mre = points.re[other], mim = points.im[other];
            spectrum.re[0][k] = k ? 0.5 * (re + mre) : re;
            spectrum.im[0][k] = k ? 0.5 * (im - mim) : mre;
            spectrum.re[1][k] = k ? 0.5 * (im + mim) : im;
            spectrum.im[1][k] = k ? 0.5 * (mre - re) : mim;
        }
    }

    int count_ = 0, channels_ = 2, newest_ = 0;
    Fourier<2 * SIZE> fourier_;
    std::vector<Spectrum> heard_, pieces_;
    std::vector<Points> work_;
    Frames last_;
    Spectrum sum_;
};

class Convolver {
  public:
    // `taps` are as many as there are channels, one or two.
    void prepare(const std::vector<double>* taps, int channels) {
        channels_ = channels;
        for (int c = 0; c < channels; ++c)
            for (int tap = 0; tap < GRID; ++tap)
                head_[c][tap] = tap < static_cast<int>(taps[c].size()) ? taps[c][static_cast<std::size_t>(tap)] : 0.0;
        near_.prepare(taps, channels, GRID, 2 * FAR);
        far_.prepare(taps, channels, 2 * FAR, 0x7FFFFFFF);
        reset();
    }
    void reset() {
        near_.reset();
        far_.reset();
        held_ = {};
        cell_ = 0;
    }

    // In place; frames of one cell, from its `offset` on.
    void process(float* const* audio, int offset, int frames) {
        for (int c = 0; c < channels_; ++c) {
            float* const line = held_.line[c] + GRID + offset;
            std::copy_n(audio[c], frames, line);
            const double *const tail = held_.tail[c] + offset, *const far = held_.far[c] + cell_ * GRID + offset;
            double sum[GRID];
            for (int i = 0; i < frames; ++i) sum[i] = tail[i] + far[i];
            if (frames == GRID)
                add_head<GRID>(sum, head_[c], line, GRID);
            else
                add_head<0>(sum, head_[c], line, frames);
            for (int i = 0; i < frames; ++i) audio[c][i] = static_cast<float>(sum[i]);
        }
        if (offset + frames == GRID) finish();
    }

  private:
    static constexpr int FAR = 1024, CELLS = FAR / GRID;

    // A whole cell has a known size, which lets the compiler take several frames at once.
    template <int WHOLE>
    static void add_head(double* __restrict sum, const double* head, const float* __restrict line, int frames) {
        for (int tap = 0; tap < GRID; ++tap)
            for (int i = 0; i < (WHOLE ? WHOLE : frames); ++i) sum[i] += head[tap] * static_cast<double>(line[i - tap]);
    }

    void finish() {
        const float* cell[2] = {held_.line[0] + GRID, held_.line[1] + GRID};
        if (near_.count()) {
            near_.take(cell);
            near_.add(0, near_.count());
            near_.give(held_.tail);
        }
        for (int c = 0; c < channels_; ++c) {
            std::copy_n(cell[c], GRID, held_.block[c] + cell_ * GRID);
            std::copy_n(cell[c], GRID, held_.line[c]);
        }
        const int done = far_.count() * cell_ / (CELLS - 1);
        if (++cell_ < CELLS) {
            if (far_.count()) far_.add(done, far_.count() * cell_ / (CELLS - 1));
            return;
        }
        cell_ = 0;
        if (!far_.count()) return;
        far_.give(held_.far);
        const float* block[2] = {held_.block[0], held_.block[1]};
        far_.take(block);
    }

    struct Held {
        float line[2][2 * GRID] = {};  // the cell before, and this one
        double tail[2][GRID] = {};      // what earlier cells have to say in this one
        float block[2][FAR] = {};
        double far[2][FAR] = {};
    };

    int channels_ = 2, cell_ = 0;
    double head_[2][GRID];
    Pieces<GRID> near_;
    Pieces<FAR> far_;
    Held held_;
};

}  // namespace mirepoix

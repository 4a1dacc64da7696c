// The numbers of LFOs that move at random: for each cycle one from 0 to 1, the same as in a render, which takes them from
// a BLAKE2b hash of 8 bytes over "seed:cycle" (RFC 7693).

#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace mirepoix {

inline double chance(long long seed, long long cycle) {
    static constexpr std::uint64_t START[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                               0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
    static constexpr unsigned char ORDER[10][16] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
        {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
        {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
        {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
        {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    };
    char text[128] = {};
    const int length = std::snprintf(text, sizeof text, "%lld:%lld", seed, cycle);
    std::uint64_t words[16], v[16];
    for (int word = 0; word < 16; ++word) {
        words[word] = 0;
        for (int byte = 0; byte < 8; ++byte)
            words[word] |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[8 * word + byte])) << (8 * byte);
    }
    const std::uint64_t first = START[0] ^ 0x01010000u ^ 8u;  // no key, a digest of 8 bytes
    for (int index = 0; index < 8; ++index) v[index] = index ? START[index] : first, v[index + 8] = START[index];
    v[12] ^= static_cast<std::uint64_t>(length);
    v[14] = ~v[14];
    const auto turned = [](std::uint64_t x, int bits) { return x >> bits | x << (64 - bits); };
    const auto mix = [&](int a, int b, int c, int d, std::uint64_t x, std::uint64_t y) {
        v[a] += v[b] + x;
        v[d] = turned(v[d] ^ v[a], 32);
        v[c] += v[d];
        v[b] = turned(v[b] ^ v[c], 24);
        v[a] += v[b] + y;
        v[d] = turned(v[d] ^ v[a], 16);
        v[c] += v[d];
        v[b] = turned(v[b] ^ v[c], 63);
    };
    for (int round = 0; round < 12; ++round) {
        const unsigned char* const order = ORDER[round % 10];
        for (int lane = 0; lane < 4; ++lane)
            mix(lane, 4 + lane, 8 + lane, 12 + lane, words[order[2 * lane]], words[order[2 * lane + 1]]);
        for (int lane = 0; lane < 4; ++lane)
            mix(lane, 4 + (lane + 1) % 4, 8 + (lane + 2) % 4, 12 + (lane + 3) % 4, words[order[8 + 2 * lane]], words[order[9 + 2 * lane]]);
    }
    // The bytes of the digest, read from the most significant on.
    const std::uint64_t digest = first ^ v[0] ^ v[8];
    std::uint64_t value = 0;
    for (int byte = 0; byte < 8; ++byte) value = value << 8 | (digest >> (8 * byte) & 0xFF);
    return static_cast<double>(value) / 18446744073709551616.0;
}

// The same, remembered from frame to frame.
class Chances {
  public:
    // Stands still for a cycle, or (`glides`) is on its way to the next number. `cycle` is rounded as in a render.
    double at(double cycle, bool glides, long long seed = 0) {
        const long long whole = static_cast<long long>(std::floor(cycle));
        if (!known_ || whole != whole_ || seed != seed_) {
            here_ = chance(seed, whole);
            next_ = chance(seed, whole + 1);
            whole_ = whole;
            seed_ = seed;
            known_ = true;
        }
        const double place = cycle - static_cast<double>(whole);
        return glides ? here_ + (next_ - here_) * (place * place * (3.0 - 2.0 * place)) : here_;
    }

  private:
    bool known_ = false;
    long long whole_ = 0, seed_ = 0;
    double here_ = 0.0, next_ = 0.0;
};

}  // namespace mirepoix

// Numbers too small to hear, which on some processors cost a hundred times more than others.

#pragma once

#if defined(__SSE2__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace mirepoix {

// While it lives, subnormal numbers are zero on this thread, as on the audio threads of DAWs; then its state is as before.
class NoSubnormals {
  public:
#if defined(__SSE2__) || defined(_M_X64)
    NoSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }
    ~NoSubnormals() { _mm_setcsr(before_); }
    NoSubnormals(const NoSubnormals&) = delete;
    NoSubnormals& operator=(const NoSubnormals&) = delete;

  private:
    unsigned before_;
#elif defined(__aarch64__)
    NoSubnormals() {
        asm volatile("mrs %0, fpcr" : "=r"(before_));
        asm volatile("msr fpcr, %0" : : "r"(before_ | (1ull << 24)));
    }
    ~NoSubnormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }
    NoSubnormals(const NoSubnormals&) = delete;
    NoSubnormals& operator=(const NoSubnormals&) = delete;

  private:
    unsigned long long before_;
#endif
};

}  // namespace mirepoix

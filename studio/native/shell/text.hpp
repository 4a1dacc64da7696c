// Numbers as text and back, the same under every locale a host may have set.

#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace mirepoix {

// At least three significant digits, without zeros at the end: -12.5, 0.35, 18000.
inline void write_number(double value, char* text, std::size_t size) {
    const double magnitude = std::fabs(value);
    const int places = magnitude >= 1000.0 ? 0 : magnitude >= 100.0 ? 1 : magnitude >= 10.0 ? 2 : magnitude >= 1.0 ? 3 : 4;
    long long scale = 1;
    for (int place = 0; place < places; ++place) scale *= 10;
    const long long whole = std::llround(magnitude * static_cast<double>(scale));
    char part[8] = {};
    int digits = places;
    long long rest = whole % scale;
    for (; digits > 0 && rest % 10 == 0; --digits) rest /= 10;
    for (int place = digits; place > 0; --place, rest /= 10) part[place - 1] = static_cast<char>('0' + rest % 10);
    std::snprintf(text, size, "%s%lld%s%s", value < 0.0 && whole ? "-" : "", whole / scale, digits ? "." : "", part);
}

// The first number in a text, with `k` for thousand; false when there is none.
template <class Char>
bool read_number(const Char* text, double& value) {
    while (*text == ' ') ++text;
    const bool negative = *text == '-';
    if (*text == '-' || *text == '+') ++text;
    double number = 0.0, place = 1.0;
    int digits = 0;
    for (; *text >= '0' && *text <= '9'; ++text, ++digits) number = number * 10.0 + (*text - '0');
    if (*text == '.' || *text == ',')
        for (++text; *text >= '0' && *text <= '9'; ++text, ++digits) number += (*text - '0') * (place /= 10.0);
    while (*text == ' ') ++text;
    if (*text == 'k') number *= 1000.0;
    value = negative ? -number : number;
    return digits > 0;
}

// UTF-8 into a field of UTF-16, cut where it is full but never inside a character.
inline void widen(const char* text, char16_t* wide, std::size_t size) {
    std::size_t length = 0;
    for (const auto* byte = reinterpret_cast<const unsigned char*>(text); *byte;) {
        const int more = *byte >= 0xF0 ? 3 : *byte >= 0xE0 ? 2 : *byte >= 0xC0 ? 1 : 0;
        std::uint32_t code = more ? *byte & (0x3Fu >> more) : *byte;
        ++byte;
        for (int index = 0; index < more && *byte; ++index, ++byte) code = code << 6 | (*byte & 0x3Fu);
        if (length + (code > 0xFFFF ? 2 : 1) >= size) break;
        if (code > 0xFFFF) {
            wide[length++] = static_cast<char16_t>(0xD800 + ((code - 0x10000) >> 10));
            code = 0xDC00 + ((code - 0x10000) & 0x3FF);
        }
        wide[length++] = static_cast<char16_t>(code);
    }
    wide[length] = 0;
}

// UTF-8 into a field of bytes, cut where it is full but never inside a character.
inline void fit(const char* text, char* field, std::size_t size) {
    std::size_t length = 0;
    while (length + 1 < size && text[length]) ++length;
    if (text[length])
        while (length && (text[length] & 0xC0) == 0x80) --length;
    for (std::size_t index = 0; index < length; ++index) field[index] = text[index];
    field[length] = 0;
}

}  // namespace mirepoix

// CRC-32C by SSE 4.2 or the ARMv8 CRC extension. The instruction takes three cycles but one can start every cycle, so
// three lanes run side by side; a table then moves a lane's register past the bytes of the lane that follows it.
#include <array>
#include <cstring>

#include "core/crc32c.h"

#if defined(__x86_64__) || defined(_M_X64)
#define HOPSPAN_CRC32C_X86
#include <nmmintrin.h>
#elif defined(__aarch64__) || defined(_M_ARM64)
#define HOPSPAN_CRC32C_ARM
#endif
#if defined(_MSC_VER)
#include <intrin.h>
#endif
#if defined(_WIN32)
#include <windows.h>
#elif defined(HOPSPAN_CRC32C_ARM) && defined(__linux__)
#include <sys/auxv.h>
#endif

#if defined(HOPSPAN_CRC32C_X86) && defined(__GNUC__)
#define HOPSPAN_CRC32C_TARGET __attribute__((target("sse4.2")))
#else
#define HOPSPAN_CRC32C_TARGET
#endif

namespace hopspan::core {

#if defined(HOPSPAN_CRC32C_X86) || defined(HOPSPAN_CRC32C_ARM)
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78u;  // bit-reflected: x^0 is the highest bit

constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (std::uint32_t bit = 1u << 31; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = (b >> 1) ^ ((b & 1) ? kPolynomial : 0);
  }
  return product;
}

// Moves a register past a fixed number of zero bytes, one table for each byte of the register.
using Shift = std::array<std::array<std::uint32_t, 256>, 4>;

constexpr Shift make_shift(std::size_t zero_bytes) {
  std::uint32_t factor = 1u << 31;
  std::uint32_t square = 1u << 23;  // x^8, one byte
  for (; zero_bytes != 0; zero_bytes >>= 1, square = multiply(square, square)) {
    if (zero_bytes & 1) factor = multiply(factor, square);
  }
  Shift shift{};
  for (int k = 0; k < 4; ++k) {
    for (std::uint32_t bit = 1; bit < 256; bit <<= 1) {
      const std::uint32_t moved = multiply(bit << (8 * k), factor);
      for (std::uint32_t low = 0; low < bit; ++low) shift[k][bit | low] = shift[k][low] ^ moved;
    }
  }
  return shift;
}

inline std::uint32_t apply(const Shift& shift, std::uint32_t crc) {
  return shift[0][crc & 255] ^ shift[1][(crc >> 8) & 255] ^ shift[2][(crc >> 16) & 255] ^ shift[3][crc >> 24];
}

constexpr std::size_t kLongLane = 4096;
constexpr std::size_t kShortLane = 256;
constexpr Shift kLongShift = make_shift(kLongLane);
constexpr Shift kShortShift = make_shift(kShortLane);

inline std::uint64_t load64(const unsigned char* p) {
  std::uint64_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

#if defined(HOPSPAN_CRC32C_X86)
HOPSPAN_CRC32C_TARGET inline std::uint32_t step8(std::uint32_t crc, std::uint8_t value) {
  return _mm_crc32_u8(crc, value);
}
HOPSPAN_CRC32C_TARGET inline std::uint32_t step64(std::uint32_t crc, std::uint64_t value) {
  return static_cast<std::uint32_t>(_mm_crc32_u64(crc, value));
}
#elif defined(_MSC_VER)
inline std::uint32_t step8(std::uint32_t crc, std::uint8_t value) { return __crc32cb(crc, value); }
inline std::uint32_t step64(std::uint32_t crc, std::uint64_t value) { return __crc32cd(crc, value); }
#else
inline std::uint32_t step8(std::uint32_t crc, std::uint32_t value) {
  __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"(value));
  return crc;
}
inline std::uint32_t step64(std::uint32_t crc, std::uint64_t value) {
  __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(value));
  return crc;
}
#endif

template <std::size_t lane>
HOPSPAN_CRC32C_TARGET inline std::uint32_t three_lanes(std::uint32_t crc, const unsigned char* p, const Shift& shift) {
  std::uint32_t crc1 = 0;
  std::uint32_t crc2 = 0;
  for (std::size_t i = 0; i < lane; i += 8) {
    crc = step64(crc, load64(p + i));
    crc1 = step64(crc1, load64(p + lane + i));
    crc2 = step64(crc2, load64(p + 2 * lane + i));
  }
  return apply(shift, apply(shift, crc) ^ crc1) ^ crc2;
}

HOPSPAN_CRC32C_TARGET std::uint32_t run_hardware(const void* data, std::size_t size, std::uint32_t before) {
  const unsigned char* p = static_cast<const unsigned char*>(data);
  std::uint32_t crc = ~before;
  for (; size >= 3 * kLongLane; size -= 3 * kLongLane, p += 3 * kLongLane) {
    crc = three_lanes<kLongLane>(crc, p, kLongShift);
  }
  for (; size >= 3 * kShortLane; size -= 3 * kShortLane, p += 3 * kShortLane) {
    crc = three_lanes<kShortLane>(crc, p, kShortShift);
  }
  for (; size >= 8; size -= 8, p += 8) crc = step64(crc, load64(p));
  for (; size != 0; --size) crc = step8(crc, *p++);
  return ~crc;
}

bool has_instruction() {
#if defined(HOPSPAN_CRC32C_X86) && defined(_MSC_VER)
  int registers[4];
  __cpuid(registers, 1);
  return (registers[2] & (1 << 20)) != 0;
#elif defined(HOPSPAN_CRC32C_X86)
  return __builtin_cpu_supports("sse4.2");
#elif defined(_WIN32)
  return IsProcessorFeaturePresent(PF_ARM_V8_CRC32_INSTRUCTIONS_AVAILABLE);
#elif defined(__linux__)
  return (getauxval(AT_HWCAP) & (1u << 7)) != 0;  // HWCAP_CRC32
#else
  return true;  // every Apple processor
#endif
}

}  // namespace

Crc32cFn crc32c_hardware() { return has_instruction() ? run_hardware : nullptr; }
#else
Crc32cFn crc32c_hardware() { return nullptr; }
#endif

}  // namespace hopspan::core

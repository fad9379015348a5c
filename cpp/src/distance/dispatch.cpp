// Which instruction sets this CPU has, and the choice among the tables of this build.
#include <cstdlib>
#include <cstring>
#include <string>

#include "distance/tables.h"
#include "hopspan/error.h"

#ifdef HOPSPAN_X86_64
#ifdef _MSC_VER
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace hopspan::distance {
namespace {

struct Level {
  const KernelTable& kernels;
  const BlockTable& blocks;
  const ScanTable& scans;
  const BeamTable& beams;
  bool (*available)();
};

bool always() { return true; }

#ifdef HOPSPAN_X86_64

struct Registers {
  std::uint32_t eax, ebx, ecx, edx;
};

Registers cpuid(std::uint32_t leaf) {
#ifdef _MSC_VER
  int r[4];
  __cpuid(r, 0);
  if (static_cast<std::uint32_t>(r[0]) < leaf) return {};
  __cpuidex(r, static_cast<int>(leaf), 0);
  return {static_cast<std::uint32_t>(r[0]), static_cast<std::uint32_t>(r[1]), static_cast<std::uint32_t>(r[2]),
          static_cast<std::uint32_t>(r[3])};
#else
  Registers r = {};
  __get_cpuid_count(leaf, 0, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
#endif
}

constexpr std::uint32_t bit(int n) { return std::uint32_t{1} << n; }
constexpr bool all(std::uint32_t value, std::uint32_t bits) { return (value & bits) == bits; }

// Which registers the operating system saves; zero when it does not say.
std::uint64_t saved_state() {
  constexpr std::uint32_t kOsxsave = bit(27);
  if (!all(cpuid(1).ecx, kOsxsave)) return 0;
#ifdef _MSC_VER
  return _xgetbv(0);
#else
  std::uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
#endif
}

bool has_avx2() {
  constexpr std::uint32_t kYmmState = bit(1) | bit(2);
  constexpr std::uint32_t kFmaAvxF16c = bit(12) | bit(28) | bit(29);
  constexpr std::uint32_t kAvx2 = bit(5);
  return all(static_cast<std::uint32_t>(saved_state()), kYmmState) && all(cpuid(1).ecx, kFmaAvxF16c) &&
         all(cpuid(7).ebx, kAvx2);
}

bool has_avx512() {
  constexpr std::uint32_t kZmmState = bit(5) | bit(6) | bit(7);
  constexpr std::uint32_t kFDqBwVl = bit(16) | bit(17) | bit(30) | bit(31);
  constexpr std::uint32_t kVnniVpopcntdq = bit(11) | bit(14);
  return has_avx2() && all(static_cast<std::uint32_t>(saved_state()), kZmmState) && all(cpuid(7).ebx, kFDqBwVl) &&
         all(cpuid(7).ecx, kVnniVpopcntdq);
}

#endif

// Best first; the last one is always available.
const Level kLevels[] = {
#ifdef HOPSPAN_X86_64
    {avx512::kernel_table, avx512::block_table, avx512::scan_table, avx512::beam_table, has_avx512},
    {avx2::kernel_table, avx2::block_table, avx2::scan_table, avx2::beam_table, has_avx2},
#endif
#ifdef HOPSPAN_AARCH64
    {neon::kernel_table, neon::block_table, neon::scan_table, neon::beam_table, always},
#endif
    {scalar::kernel_table, scalar::block_table, scalar::scan_table, scalar::beam_table, always},
};

const Level* find(const char* isa) {
  for (const Level& level : kLevels)
    if (std::strcmp(level.kernels.isa, isa) == 0 && level.available()) return &level;
  return nullptr;
}

std::string available_names() {
  std::string names;
  for (const Level& level : kLevels)
    if (level.available()) names += (names.empty() ? "" : ", ") + std::string(level.kernels.isa);
  return names;
}

const Level& select(const char* isa) {
  if (isa != nullptr && *isa != '\0') {
    if (const Level* level = find(isa)) return *level;
    throw InvalidArgument("HOPSPAN_ISA: the instruction set '" + std::string(isa) +
                          "' is unknown, or this CPU or build lacks it; available: " + available_names());
  }
  const Level* level = kLevels;
  while (!level->available()) ++level;
  return *level;
}

const Level& chosen() {
  static const Level& level = select(std::getenv("HOPSPAN_ISA"));
  return level;
}

}  // namespace

const KernelTable& kernels() { return chosen().kernels; }
const BlockTable& blocks() { return chosen().blocks; }
const ScanTable& scans() { return chosen().scans; }
const BeamTable& beams() { return chosen().beams; }

const KernelTable& select_kernels(const char* isa) { return select(isa).kernels; }

const KernelTable* find_kernels(const char* isa) {
  const Level* level = find(isa);
  return level == nullptr ? nullptr : &level->kernels;
}

const BlockTable* find_blocks(const char* isa) {
  const Level* level = find(isa);
  return level == nullptr ? nullptr : &level->blocks;
}

const ScanTable* find_scans(const char* isa) {
  const Level* level = find(isa);
  return level == nullptr ? nullptr : &level->scans;
}

const BeamTable* find_beams(const char* isa) {
  const Level* level = find(isa);
  return level == nullptr ? nullptr : &level->beams;
}

}  // namespace hopspan::distance

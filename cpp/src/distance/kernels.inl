// The distance kernels, once for all instruction sets: kernels_<isa>.cpp includes this inside namespace
// hopspan::distance::<isa> after vec_<isa>.h, which supplies
//   F32, I16 (byte elements widened), Bits: registers of kLanes elements; I32, Count: their accumulators;
//   load_*(p), load_*(p, n) with n < kLanes elements and zeros behind; sub, mul_add, add_differing, add, reduce, prefetch.
// These files are compiled for one instruction set each. Whatever else they emitted could be the copy of an inline
// function that the linker keeps for the whole program, so: internal linkage only, nothing of the standard library.

namespace {

// What an element type loads as, and the type of a sum of products.
struct Float32 {
  using Vector = F32;
  using Accumulator = F32;
  using Sum = float;
  using Query = Float32;
  static constexpr std::size_t kBytes = 4;
  template <typename... Part>
  static F32 load(const Byte* p, Part... n) {
    return load_f32(p, n...);
  }
};

struct Float16 : Float32 {
  static constexpr std::size_t kBytes = 2;
  template <typename... Part>
  static F32 load(const Byte* p, Part... n) {
    return load_f16(p, n...);
  }
};

struct BFloat16 : Float32 {
  static constexpr std::size_t kBytes = 2;
  template <typename... Part>
  static F32 load(const Byte* p, Part... n) {
    return load_bf16(p, n...);
  }
};

struct Int8 {
  using Vector = I16;
  using Accumulator = I32;
  using Sum = std::int32_t;
  using Query = Int8;
  static constexpr std::size_t kBytes = 1;
  template <typename... Part>
  static I16 load(const Byte* p, Part... n) {
    return load_i8(p, n...);
  }
};

struct UInt8 {
  using Vector = I16;
  using Accumulator = I32;
  using Sum = std::uint32_t;
  using Query = UInt8;
  static constexpr std::size_t kBytes = 1;
  template <typename... Part>
  static I16 load(const Byte* p, Part... n) {
    return load_u8(p, n...);
  }
};

struct Binary {
  using Vector = Bits;
  using Accumulator = Count;
  using Query = Binary;
  static constexpr std::size_t kBytes = 1;
  template <typename... Part>
  static Bits load(const Byte* p, Part... n) {
    return load_bits(p, n...);
  }
};

// A metric adds up steps over vectors of elements, then makes a distance of the sum and of what lies behind the elements.
template <typename Element>
struct L2 {
  using Accumulator = typename Element::Accumulator;
  using Vector = typename Element::Vector;
  static constexpr std::size_t elements(std::size_t dim) { return dim; }
  static Accumulator step(Accumulator acc, Vector q, Vector x) {
    const Vector difference = sub(q, x);
    return mul_add(acc, difference, difference);
  }
  static float finish(Accumulator acc, const Byte*, const Byte*) { return static_cast<float>(reduce(acc)); }
};

template <typename Element>
struct Ip {
  using Accumulator = typename Element::Accumulator;
  using Vector = typename Element::Vector;
  static constexpr std::size_t elements(std::size_t dim) { return dim; }
  static Accumulator step(Accumulator acc, Vector q, Vector x) { return mul_add(acc, q, x); }
  static float product(Accumulator acc) {
    return static_cast<float>(static_cast<typename Element::Sum>(reduce(acc)));
  }
  static float finish(Accumulator acc, const Byte*, const Byte*) { return 1.0f - product(acc); }
};

template <typename Element>
struct Cosine : Ip<Element> {
  static float finish(typename Element::Accumulator acc, const Byte* query_end, const Byte* row_end) {
    return 1.0f - Ip<Element>::product(acc) * read<float>(query_end) * read<float>(row_end);
  }
};

template <typename Element>
struct Hamming {
  static constexpr std::size_t elements(std::size_t dim) { return (dim + 7) / 8; }
  static Count step(Count acc, Bits q, Bits x) { return add_differing(acc, q, x); }
  static float finish(Count acc, const Byte*, const Byte*) { return static_cast<float>(reduce(acc)); }
};

// Every row's sum is taken in the same order whatever kRows is, so `one` and `many` agree bit for bit.
template <template <typename> class Metric, typename Element, int kRows>
inline void distances(const Byte* query, const Byte* const* rows, std::size_t dim, float* out) {
  using Query = typename Element::Query;
  using Accumulator = typename Element::Accumulator;
  constexpr std::size_t kLanes = Element::Vector::kLanes;
  const std::size_t size = Metric<Element>::elements(dim);

  Accumulator acc[kRows][kAccumulators];
  for (auto& row : acc)
    for (Accumulator& a : row) a = Accumulator::zero();
  std::size_t i = 0;
  for (; i + kAccumulators * kLanes <= size; i += kAccumulators * kLanes) {
    for (int a = 0; a < kAccumulators; ++a) {
      const std::size_t at = i + a * kLanes;
      const auto q = Query::load(query + at * Query::kBytes);
      for (int r = 0; r < kRows; ++r)
        acc[r][a] = Metric<Element>::step(acc[r][a], q, Element::load(rows[r] + at * Element::kBytes));
    }
  }
  for (int a = 0; a < kAccumulators && i < size; ++a, i += kLanes) {
    if (i + kLanes <= size) {
      const auto q = Query::load(query + i * Query::kBytes);
      for (int r = 0; r < kRows; ++r)
        acc[r][a] = Metric<Element>::step(acc[r][a], q, Element::load(rows[r] + i * Element::kBytes));
    } else {
      const auto q = Query::load(query + i * Query::kBytes, size - i);
      for (int r = 0; r < kRows; ++r)
        acc[r][a] = Metric<Element>::step(acc[r][a], q, Element::load(rows[r] + i * Element::kBytes, size - i));
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int step = kAccumulators / 2; step > 0; step /= 2)
      for (int a = 0; a < step; ++a) acc[r][a] = add(acc[r][a], acc[r][a + step]);
    out[r] = Metric<Element>::finish(acc[r][0], query + size * Query::kBytes, rows[r] + size * Element::kBytes);
  }
}

template <template <typename> class Metric, typename Element>
float one(const void* query, const void* row, std::size_t dim) {
  const Byte* const rows[] = {static_cast<const Byte*>(row)};
  float distance;
  distances<Metric, Element, 1>(static_cast<const Byte*>(query), rows, dim, &distance);
  return distance;
}

constexpr std::size_t kLine = 64;
constexpr std::size_t kRowsAhead = 8;

inline void prefetch_row(const Byte* row, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += kLine) prefetch(row + at);
}

template <template <typename> class Metric, typename Element>
void many(const void* query, const void* base, std::size_t stride, const std::uint32_t* slots, std::size_t count,
          std::size_t dim, float* out) {
  const Byte* const q = static_cast<const Byte*>(query);
  const auto row = [=](std::size_t i) { return static_cast<const Byte*>(base) + slots[i] * stride; };
  const std::size_t bytes = Metric<Element>::elements(dim) * Element::kBytes;
  for (std::size_t i = 0; i < count && i < kRowsAhead; ++i) prefetch_row(row(i), bytes);
  std::size_t i = 0;
  for (; i + kRowsAtOnce <= count; i += kRowsAtOnce) {
    const Byte* rows[kRowsAtOnce];
    for (int r = 0; r < kRowsAtOnce; ++r) {
      rows[r] = row(i + r);
      if (i + r + kRowsAhead < count) prefetch_row(row(i + r + kRowsAhead), bytes);
    }
    distances<Metric, Element, kRowsAtOnce>(q, rows, dim, out + i);
  }
  for (; i < count; ++i) out[i] = one<Metric, Element>(query, row(i), dim);
}

template <template <typename> class Metric, typename Element>
constexpr Kernel kernel() {
  return {one<Metric, Element>, many<Metric, Element>};
}

constexpr Kernel kNone = {nullptr, nullptr};

}  // namespace

// In the order of hopspan::Metric and hopspan::DType. Constant expressions: nothing of this file runs before its CPU is known.
constexpr KernelTable kernel_table = {
    kIsa,
    {{kernel<L2, Float32>(), kernel<L2, Float16>(), kernel<L2, BFloat16>(), kernel<L2, Int8>(), kernel<L2, UInt8>(),
      kNone},
     {kernel<Ip, Float32>(), kernel<Ip, Float16>(), kernel<Ip, BFloat16>(), kernel<Ip, Int8>(), kernel<Ip, UInt8>(),
      kNone},
     {kernel<Cosine, Float32>(), kernel<Cosine, Float16>(), kernel<Cosine, BFloat16>(), kernel<Cosine, Int8>(),
      kernel<Cosine, UInt8>(), kNone},
     {kNone, kNone, kNone, kNone, kNone, kernel<Hamming, Binary>()}}};

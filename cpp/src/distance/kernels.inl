// The distance kernels, once for all instruction sets: kernels_<isa>.cpp includes this inside namespace
// hopspan::distance::<isa> after vec_<isa>.h, which supplies
//   F32, I16 (byte elements widened), Bits: registers of kLanes elements; I32, Count: their accumulators;
//   load_*(p), load_*(p, n) with 0 <= n < kLanes elements and zeros behind; sub, mul_add, add_differing, reduce;
//   prefetch; kRowsAtOnce.
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

// A metric adds up steps over vectors of elements, then makes a distance of the sum and of what lies behind the
// elements.
template <typename Element>
struct L2 {
  using Accumulator = typename Element::Accumulator;
  using Vector = typename Element::Vector;
  static constexpr std::size_t elements(std::size_t dim) { return dim; }
  HOPSPAN_ALWAYS_INLINE static Accumulator step(Accumulator acc, Vector q, Vector x) {
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
  HOPSPAN_ALWAYS_INLINE static Accumulator step(Accumulator acc, Vector q, Vector x) { return mul_add(acc, q, x); }
  static float product(Accumulator acc) { return static_cast<float>(static_cast<typename Element::Sum>(reduce(acc))); }
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

constexpr std::size_t kLine = 64;
constexpr std::size_t kLinesAhead = 2;

// One row's walk from its first element to its last, a cache line of elements at a time. The order of the additions
// depends on nothing but the dimension, so `one` and `many` agree bit for bit.
template <template <typename> class Metric, typename Element>
struct Row {
  using Query = typename Element::Query;
  using Accumulator = typename Element::Accumulator;
  static constexpr std::size_t kLanes = Element::Vector::kLanes;
  static constexpr std::size_t kElements = kLine / Element::kBytes;

  HOPSPAN_ALWAYS_INLINE static Accumulator step(Accumulator sum, const Byte* query, const Byte* row, std::size_t i) {
    return Metric<Element>::step(sum, Query::load(query + i * Query::kBytes), Element::load(row + i * Element::kBytes));
  }

  HOPSPAN_ALWAYS_INLINE static Accumulator add_line(Accumulator sum, const Byte* query, const Byte* row,
                                                    std::size_t i) {
    for (std::size_t end = i + kElements; i < end; i += kLanes) sum = step(sum, query, row, i);
    return sum;
  }

  // The query's elements behind its last whole vector; the same for every row.
  static typename Element::Vector query_tail(const Byte* query, std::size_t size) {
    const std::size_t n = size % kLanes;
    return Query::load(query + (size - n) * Query::kBytes, n);
  }

  // Adds the elements from i on, less than a line, and makes the distance.
  HOPSPAN_ALWAYS_INLINE static float finish(Accumulator sum, const Byte* query, typename Element::Vector tail,
                                            const Byte* row, std::size_t i, std::size_t size) {
    for (; i + kLanes <= size; i += kLanes) sum = step(sum, query, row, i);
    if (i < size) sum = Metric<Element>::step(sum, tail, Element::load(row + i * Element::kBytes, size - i));
    return Metric<Element>::finish(sum, query + size * Query::kBytes, row + size * Element::kBytes);
  }
};

template <template <typename> class Metric, typename Element>
float one(const void* query, const void* row, std::size_t dim) {
  using Walk = Row<Metric, Element>;
  const Byte* const q = static_cast<const Byte*>(query);
  const Byte* const x = static_cast<const Byte*>(row);
  const std::size_t size = Metric<Element>::elements(dim);
  auto sum = Walk::Accumulator::zero();
  std::size_t i = 0;
  for (; i + Walk::kElements <= size; i += Walk::kElements) sum = Walk::add_line(sum, q, x, i);
  return Walk::finish(sum, q, Walk::query_tail(q, size), x, i, size);
}

// Up to kRowsAtOnce rows walk side by side, a line each in turn: the processor then waits for all of them at once, and
// its prefetchers, which follow about as many streams, run ahead in every row.
template <typename Walk>
void side_by_side(const Byte* query, const Byte* const* rows, std::size_t n, std::size_t size, float* out) {
  typename Walk::Accumulator sums[kRowsAtOnce];
  unrolled<kRowsAtOnce>(kRowsAtOnce, [&](std::size_t r) HOPSPAN_INLINE_LAMBDA { sums[r] = Walk::Accumulator::zero(); });
  std::size_t i = 0;
  for (; i + Walk::kElements <= size; i += Walk::kElements) {
    unrolled<kRowsAtOnce>(
        n, [&](std::size_t r) HOPSPAN_INLINE_LAMBDA { sums[r] = Walk::add_line(sums[r], query, rows[r], i); });
  }
  const auto tail = Walk::query_tail(query, size);
  unrolled<kRowsAtOnce>(
      n, [&](std::size_t r) HOPSPAN_INLINE_LAMBDA { out[r] = Walk::finish(sums[r], query, tail, rows[r], i, size); });
}

template <template <typename> class Metric, typename Element>
void many(const void* query, const void* base, std::size_t stride, const std::uint32_t* slots, std::size_t count,
          std::size_t dim, float* out) {
  const std::size_t size = Metric<Element>::elements(dim);
  const Byte* rows[kRowsAtOnce];
  while (count != 0) {
    const std::size_t some = count < 2 * kRowsAtOnce ? (count + 1) / 2 : kRowsAtOnce;
    const std::size_t n = count <= kRowsAtOnce ? count : some;
    for (std::size_t r = 0; r < n; ++r) {
      rows[r] = static_cast<const Byte*>(base) + slots[r] * stride;
      for (std::size_t line = 0; line < kLinesAhead && line * kLine < size * Element::kBytes; ++line)
        prefetch(rows[r] + line * kLine);
    }
    side_by_side<Row<Metric, Element>>(static_cast<const Byte*>(query), rows, n, size, out);
    slots += n;
    out += n;
    count -= n;
  }
}

template <template <typename> class Metric, typename Element>
constexpr Kernel kernel() {
  return {one<Metric, Element>, many<Metric, Element>};
}

constexpr Kernel kNone = {nullptr, nullptr};

}  // namespace

// In the order of hopspan::Metric and hopspan::DType. Constant expressions: nothing of this file runs before its CPU is
// known.
constexpr KernelTable kernel_table = {
    kIsa,
    {{kernel<L2, Float32>(), kernel<L2, Float16>(), kernel<L2, BFloat16>(), kernel<L2, Int8>(), kernel<L2, UInt8>(),
      kNone},
     {kernel<Ip, Float32>(), kernel<Ip, Float16>(), kernel<Ip, BFloat16>(), kernel<Ip, Int8>(), kernel<Ip, UInt8>(),
      kNone},
     {kernel<Cosine, Float32>(), kernel<Cosine, Float16>(), kernel<Cosine, BFloat16>(), kernel<Cosine, Int8>(),
      kernel<Cosine, UInt8>(), kNone},
     {kNone, kNone, kNone, kNone, kNone, kernel<Hamming, Binary>()}}};

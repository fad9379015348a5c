// The distance kernels, once for all instruction sets: kernels_<isa>.cpp includes this inside namespace
// hopspan::distance::<isa> after vec_<isa>.h, which supplies
//   F32, I16 (byte elements widened), Bits: registers of kLanes elements; I32, Count: their accumulators;
//   load_*(p), load_*(p, n) with 0 <= n < kLanes elements and zeros behind; sub, mul_add, add_differing, reduce;
//   add_nibble_squares, add_nibble_products; prefetch; kRowsAtOnce.
// These files are compiled for one instruction set each. Whatever else they emitted could be the copy of an inline
// function that the linker keeps for the whole program, so: internal linkage only, nothing of the standard library.

namespace {

// What an element type loads as, and the type of a sum of products. A binary element is eight bits.
struct Float32 {
  using Vector = F32;
  using Accumulator = F32;
  using Sum = float;
  using Query = Float32;
  static constexpr std::size_t kBytes = 4;
  static std::size_t count(std::size_t dim) { return dim; }
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

// Bytes beside a query of floats.
struct FloatByte : Float32 {
  static constexpr std::size_t kBytes = 1;
  template <typename... Part>
  static F32 load(const Byte* p, Part... n) {
    return load_u8_f32(p, n...);
  }
};

struct Int8 {
  using Vector = I16;
  using Accumulator = I32;
  using Sum = std::int32_t;
  using Query = Int8;
  static constexpr std::size_t kBytes = 1;
  static std::size_t count(std::size_t dim) { return dim; }
  template <typename... Part>
  static I16 load(const Byte* p, Part... n) {
    return load_i8(p, n...);
  }
};

struct UInt8 : Int8 {
  using Sum = std::uint32_t;
  using Query = UInt8;
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
  static std::size_t count(std::size_t dim) { return (dim + 7) / 8; }
  template <typename... Part>
  static Bits load(const Byte* p, Part... n) {
    return load_bits(p, n...);
  }
};

// What is added up over the elements.
template <typename E>
struct SquaredDifferences {
  using Element = E;
  using Accumulator = typename E::Accumulator;
  using Vector = typename E::Vector;
  static Accumulator step(Accumulator sum, Vector q, Vector x) {
    const Vector difference = sub(q, x);
    return mul_add(sum, difference, difference);
  }
  static float total(Accumulator sum) { return static_cast<float>(reduce(sum)); }
};

template <typename E>
struct Products {
  using Element = E;
  using Accumulator = typename E::Accumulator;
  using Vector = typename E::Vector;
  static Accumulator step(Accumulator sum, Vector q, Vector x) { return mul_add(sum, q, x); }
  static float total(Accumulator sum) { return static_cast<float>(static_cast<typename E::Sum>(reduce(sum))); }
};

template <typename E>
struct DifferingBits {
  using Element = E;
  using Accumulator = Count;
  static Count step(Count sum, Bits q, Bits x) { return add_differing(sum, q, x); }
  static float total(Count sum) { return static_cast<float>(reduce(sum)); }
};

// A metric makes a distance of the sum and of what lies behind the elements.
struct L2 {
  template <typename E>
  using Terms = SquaredDifferences<E>;
  static float distance(float sum, const Byte*, const Byte*) { return sum; }
};

struct Ip {
  template <typename E>
  using Terms = Products<E>;
  static float distance(float sum, const Byte*, const Byte*) { return 1.0f - sum; }
};

struct Cosine {
  template <typename E>
  using Terms = Products<E>;
  static float distance(float sum, const Byte* query_end, const Byte* row_end) {
    return 1.0f - sum * read<float>(query_end) * read<float>(row_end);
  }
};

struct Dot {
  template <typename E>
  using Terms = Products<E>;
  static float distance(float sum, const Byte*, const Byte*) { return sum; }
};

struct Hamming {
  template <typename E>
  using Terms = DifferingBits<E>;
  static float distance(float sum, const Byte*, const Byte*) { return sum; }
};

constexpr std::size_t kLine = 64;

// One row's walk from its first element to its last, a cache line of elements at a time. The order of the additions
// depends on nothing but their number, so `one` and `many` agree bit for bit.
template <typename Terms>
struct Walk {
  using Element = typename Terms::Element;
  using Query = typename Element::Query;
  using Accumulator = typename Element::Accumulator;
  using Tail = typename Element::Vector;
  static constexpr std::size_t kLanes = Element::Vector::kLanes;
  static constexpr std::size_t kElements = kLine / Element::kBytes;

  static std::size_t size(std::size_t dim) { return Element::count(dim); }
  static std::size_t row_bytes(std::size_t size) { return size * Element::kBytes; }
  static std::size_t query_bytes(std::size_t size) { return size * Query::kBytes; }

  HOPSPAN_ALWAYS_INLINE static Accumulator step(Accumulator sum, const Byte* query, const Byte* row, std::size_t i) {
    return Terms::step(sum, Query::load(query + i * Query::kBytes), Element::load(row + i * Element::kBytes));
  }

  HOPSPAN_ALWAYS_INLINE static Accumulator add_line(Accumulator sum, const Byte* query, const Byte* row, std::size_t i,
                                                    std::size_t) {
    for (std::size_t end = i + kElements; i < end; i += kLanes) sum = step(sum, query, row, i);
    return sum;
  }

  // The query's elements behind its last whole vector; the same for every row.
  static Tail query_tail(const Byte* query, std::size_t size) {
    const std::size_t n = size % kLanes;
    return Query::load(query + (size - n) * Query::kBytes, n);
  }

  // Adds the elements from i on, less than a line.
  HOPSPAN_ALWAYS_INLINE static float finish(Accumulator sum, const Byte* query, Tail tail, const Byte* row,
                                            std::size_t i, std::size_t size) {
    for (; i + kLanes <= size; i += kLanes) sum = step(sum, query, row, i);
    if (i < size) sum = Terms::step(sum, tail, Element::load(row + i * Element::kBytes, size - i));
    return Terms::total(sum);
  }
};

template <typename Metric, typename W>
float one(const void* query, const void* row, std::size_t dim) {
  const Byte* const q = static_cast<const Byte*>(query);
  const Byte* const x = static_cast<const Byte*>(row);
  const std::size_t size = W::size(dim);
  auto sum = W::Accumulator::zero();
  std::size_t i = 0;
  for (; i + W::kElements <= size; i += W::kElements) sum = W::add_line(sum, q, x, i, size);
  return Metric::distance(W::finish(sum, q, W::query_tail(q, size), x, i, size), q + W::query_bytes(size),
                          x + W::row_bytes(size));
}

// Up to kRowsAtOnce rows walk side by side, a line each in turn: the processor then waits for all of them at once, and
// its prefetchers, which follow about as many streams and start on a row's second line, run ahead in every row.
template <typename W>
HOPSPAN_ALWAYS_INLINE void side_by_side(const Byte* query, const Byte* const* rows, std::size_t n, std::size_t size,
                                        float* out) {
  typename W::Accumulator sums[kRowsAtOnce];
  unrolled<kRowsAtOnce>(kRowsAtOnce, [&](std::size_t r) HOPSPAN_INLINE_LAMBDA { sums[r] = W::Accumulator::zero(); });
  std::size_t i = 0;
  for (; i + W::kElements <= size; i += W::kElements) {
    unrolled<kRowsAtOnce>(
        n, [&](std::size_t r) HOPSPAN_INLINE_LAMBDA { sums[r] = W::add_line(sums[r], query, rows[r], i, size); });
  }
  const auto tail = W::query_tail(query, size);
  unrolled<kRowsAtOnce>(
      n, [&](std::size_t r) HOPSPAN_INLINE_LAMBDA { out[r] = W::finish(sums[r], query, tail, rows[r], i, size); });
}

template <typename Metric, typename W>
void many(const void* query, const void* base, std::size_t stride, const std::uint32_t* slots, std::size_t count,
          std::size_t dim, float* out) {
  const Byte* const q = static_cast<const Byte*>(query);
  const std::size_t size = W::size(dim);
  const std::size_t bytes = W::row_bytes(size);
  const Byte* rows[kRowsAtOnce];
  while (count != 0) {
    const std::size_t some = count < 2 * kRowsAtOnce ? (count + 1) / 2 : kRowsAtOnce;
    const std::size_t n = count <= kRowsAtOnce ? count : some;
    for (std::size_t r = 0; r < n; ++r) {
      rows[r] = static_cast<const Byte*>(base) + slots[r] * stride;
      prefetch(rows[r]);
      if (bytes > kLine) prefetch(rows[r] + kLine);
    }
    side_by_side<W>(q, rows, n, size, out);
    for (std::size_t r = 0; r < n; ++r) out[r] = Metric::distance(out[r], q + W::query_bytes(size), rows[r] + bytes);
    slots += n;
    out += n;
    count -= n;
  }
}

template <typename Metric, typename Element>
constexpr Kernel kernel() {
  using W = Walk<typename Metric::template Terms<Element>>;
  return {one<Metric, W>, many<Metric, W>};
}

// Codes of 4 bits: byte j of a row holds dimension 2j low and 2j + 1 high, 0..15. Under l2 the terms c (2c - u) add up,
// with the query's summand, to 2 (c - u / 2)^2; under ip the products c u.
struct Squares4 {
  HOPSPAN_ALWAYS_INLINE static I32 step(I32 sum, Bits codes, Bits even, Bits odd) {
    return add_nibble_squares(sum, codes, even, odd);
  }
};

struct Products4 {
  HOPSPAN_ALWAYS_INLINE static I32 step(I32 sum, Bits codes, Bits even, Bits odd) {
    return add_nibble_products(sum, codes, even, odd);
  }
};

template <typename Terms>
struct Walk4 {
  using Accumulator = I32;
  struct Tail {
    Bits even, odd;
  };
  static constexpr std::size_t kLanes = Bits::kLanes;
  static constexpr std::size_t kElements = kLine;

  static std::size_t size(std::size_t dim) { return (dim + 1) / 2; }
  static std::size_t row_bytes(std::size_t size) { return size; }
  static std::size_t query_bytes(std::size_t size) { return 2 * size; }

  HOPSPAN_ALWAYS_INLINE static I32 step(I32 sum, const Byte* query, const Byte* row, std::size_t i, std::size_t size) {
    return Terms::step(sum, load_bits(row + i), load_bits(query + i), load_bits(query + size + i));
  }

  HOPSPAN_ALWAYS_INLINE static I32 add_line(I32 sum, const Byte* query, const Byte* row, std::size_t i,
                                            std::size_t size) {
    for (std::size_t end = i + kElements; i < end; i += kLanes) sum = step(sum, query, row, i, size);
    return sum;
  }

  static Tail query_tail(const Byte* query, std::size_t size) {
    const std::size_t n = size % kLanes;
    return {load_bits(query + (size - n), n), load_bits(query + (2 * size - n), n)};
  }

  HOPSPAN_ALWAYS_INLINE static float finish(I32 sum, const Byte* query, Tail tail, const Byte* row, std::size_t i,
                                            std::size_t size) {
    for (; i + kLanes <= size; i += kLanes) sum = step(sum, query, row, i, size);
    if (i < size) sum = Terms::step(sum, load_bits(row + i, size - i), tail.even, tail.odd);
    return static_cast<float>(static_cast<std::int32_t>(reduce(sum)));
  }
};

struct L2Codes {
  static float distance(float sum, const Byte* query_end, const Byte*) { return read<float>(query_end) + sum; }
};

struct IpCodes {
  static float distance(float sum, const Byte* query_end, const Byte*) { return read<float>(query_end) - sum; }
};

template <typename Metric, typename Terms>
constexpr Kernel kernel4() {
  return {one<Metric, Walk4<Terms>>, many<Metric, Walk4<Terms>>};
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
     {kNone, kNone, kNone, kNone, kNone, kernel<Hamming, Binary>()}},
    {kernel<L2, FloatByte>(), kernel<Ip, FloatByte>(), kernel<Cosine, FloatByte>()},
    {kernel4<L2Codes, Squares4>(), kernel4<IpCodes, Products4>()},
    kernel<Dot, Float16>()};

// The block kernel, once for all instruction sets; included like kernels.inl, and bound by the same rules. Needs of
// vec_<isa>.h also broadcast and store, and the size of the tile that fits its registers.

namespace {

constexpr std::size_t kRowTile = kRowVectors * F32::kLanes;

template <typename F>
HOPSPAN_ALWAYS_INLINE void for_each_sum(const F& f) {
  unrolled<kQueryTile>(kQueryTile, [&](std::size_t t) HOPSPAN_INLINE_LAMBDA {
    unrolled<kRowVectors>(kRowVectors, [&](std::size_t v) HOPSPAN_INLINE_LAMBDA { f(t, v); });
  });
}

// One query panel against one row panel: rows lie in the lanes, queries are broadcast.
inline void dot_tile(const float* queries, const float* rows, std::size_t dim, float* out, std::size_t out_stride) {
  F32 sums[kQueryTile][kRowVectors];
  for_each_sum([&](std::size_t t, std::size_t v) HOPSPAN_INLINE_LAMBDA { sums[t][v] = F32::zero(); });
  for (std::size_t d = 0; d < dim; ++d, queries += kQueryTile, rows += kRowTile) {
    F32 x[kRowVectors];
    unrolled<kRowVectors>(kRowVectors, [&](std::size_t v) HOPSPAN_INLINE_LAMBDA {
      x[v] = load_f32(reinterpret_cast<const Byte*>(rows + v * F32::kLanes));
    });
    for_each_sum([&](std::size_t t, std::size_t v)
                     HOPSPAN_INLINE_LAMBDA { sums[t][v] = mul_add(sums[t][v], broadcast(queries[t]), x[v]); });
  }
  for_each_sum([&](std::size_t t, std::size_t v)
                   HOPSPAN_INLINE_LAMBDA { store(out + t * out_stride + v * F32::kLanes, sums[t][v]); });
}

void dot(const float* query_panels, std::size_t n_query_panels, const float* row_panels, std::size_t n_row_panels,
         std::size_t dim, float* out, std::size_t out_stride) {
  for (std::size_t r = 0; r < n_row_panels; ++r)
    for (std::size_t q = 0; q < n_query_panels; ++q)
      dot_tile(query_panels + q * kQueryTile * dim, row_panels + r * kRowTile * dim, dim,
               out + q * kQueryTile * out_stride + r * kRowTile, out_stride);
}

}  // namespace

constexpr BlockTable block_table = {kIsa, kQueryTile, kRowTile, dot};

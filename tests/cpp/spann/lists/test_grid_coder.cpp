// Planted bugs that turn these tests red, each tried on its own: entries of a narrow block in the places of a wide one,
// a term without the head's product.
#include <cmath>
#include <vector>

#include "spann/gaussians.h"
#include "spann/lists/format.h"
#include "spann/lists/grid_coder.h"
#include "spann/lists/rotation.h"
#include "spann/lists/scan.h"
#include "test.h"

using hopspan::CorruptIndexError;
using hopspan::Metric;
using hopspan::test::gaussians;
namespace spann = hopspan::spann;

namespace {

constexpr float kNear = 1e30F;

std::vector<float> floats(std::size_t count, std::size_t dim, std::uint64_t seed, bool unit) {
  const auto rows = gaussians(count, dim, seed);
  const float* const all = reinterpret_cast<const float*>(rows.data());
  std::vector<float> result(all, all + count * dim);
  for (std::size_t i = 0; unit && i < count; ++i) {
    float square = 0.0F;
    for (std::size_t d = 0; d < dim; ++d) square += result[i * dim + d] * result[i * dim + d];
    for (std::size_t d = 0; d < dim; ++d) result[i * dim + d] /= std::sqrt(square);
  }
  return result;
}

double product(const float* a, const float* b, std::size_t dim) {
  double sum = 0.0;
  for (std::size_t d = 0; d < dim; ++d) sum += static_cast<double>(a[d]) * static_cast<double>(b[d]);
  return sum;
}

// As Centers::probe has it.
double distance(Metric metric, const float* query, const float* other, std::size_t dim) {
  const double along = product(query, other, dim);
  return metric == Metric::kL2 ? product(other, other, dim) - 2.0 * along : -along;
}

std::vector<std::byte> make_list(const spann::Coder& coder, const float* head, const std::vector<float>& vectors) {
  std::vector<std::uint32_t> entries(vectors.size() / coder.dim());
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = static_cast<std::uint32_t>(1000 + i);
  std::vector<std::byte> list(spann::list_bytes(coder.shape(), entries.size()));
  spann::write_list(coder, head, vectors.data(), entries.data(), entries.size(), list.data());
  return list;
}

}  // namespace

TEST(grid_codes_tell_distances_closely) {
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    for (const std::size_t dim : {64, 100}) {
      for (const std::size_t bits : {2, 4}) {
        const bool unit = metric == Metric::kCosine;
        const std::vector<float> vectors = floats(50, dim, 1, unit), all = floats(2, dim, 7, unit);
        const float* const head = all.data();
        const float* const query = all.data() + dim;
        const spann::GridCoder coder(dim, metric, bits, 3);
        const std::vector<std::byte> bytes = make_list(coder, head, vectors);
        spann::Tables tables;
        coder.make_tables(query, tables);
        spann::ScanScratch scratch;
        const spann::ListView list(bytes.data(), bytes.size(), coder.shape());
        CHECK_EQUAL(spann::scan_list(list, tables, kNear, scratch), 50u);
        double error = 0.0, spread = 0.0;
        for (std::size_t i = 0; i < 50; ++i) {
          CHECK_EQUAL(scratch.positions[i], i);
          CHECK_EQUAL(list.entry(i), 1000 + i);
          const double base = distance(metric, query, head, dim);
          const double wanted = distance(metric, query, &vectors[i * dim], dim);
          error += std::pow(base + static_cast<double>(scratch.scores[i]) - wanted, 2);
          spread += std::pow(wanted - base, 2);
        }
        CHECK(error < (bits == 4 ? 0.03 : 0.3) * spread);
      }
    }
  }
}

TEST(grid_codes_are_exact_for_the_vector_itself) {
  const std::vector<float> vectors = floats(3, 16, 1, false);
  const spann::GridCoder coder(16, Metric::kL2, 4, 3);
  const std::vector<std::byte> bytes = make_list(coder, vectors.data(), vectors);  // the first one is the head
  spann::Tables tables;
  spann::ScanScratch scratch;
  for (std::size_t i = 0; i < 3; ++i) {
    const float* const query = &vectors[i * 16];
    coder.make_tables(query, tables);
    spann::scan_list({bytes.data(), bytes.size(), coder.shape()}, tables, kNear, scratch);
    const double found = distance(Metric::kL2, query, vectors.data(), 16) + static_cast<double>(scratch.scores[i]);
    CHECK(std::fabs(found - distance(Metric::kL2, query, query, 16)) < 0.5);
  }
}

TEST(a_list_of_any_length_gives_back_its_entries) {
  for (const std::size_t dim : {1, 5, 12}) {
    const spann::GridCoder coder(dim, Metric::kL2, 4, 3);
    const std::vector<float> head(dim, 0.25F);
    for (std::size_t count = 0; count <= 70; ++count) {
      const std::vector<std::byte> bytes = make_list(coder, head.data(), floats(count + 1, dim, 5, false));
      const spann::ListView list(bytes.data(), bytes.size(), coder.shape());
      CHECK_EQUAL(list.entries(), count + 1);
      CHECK(spann::entries_in(coder.shape(), bytes.size()) >= count + 1);
      CHECK(spann::entries_in(coder.shape(), bytes.size()) <= count + 2);
      spann::Tables tables;
      coder.make_tables(head.data(), tables);
      spann::ScanScratch scratch;
      CHECK_EQUAL(spann::scan_list(list, tables, kNear, scratch), count + 1);
      for (std::size_t i = 0; i <= count; ++i) CHECK_EQUAL(list.entry(scratch.positions[i]), 1000 + i);
    }
  }
}

TEST(a_list_of_the_wrong_size_is_refused) {
  const spann::GridCoder coder(12, Metric::kL2, 4, 3);
  const std::vector<float> head(12, 0.0F);
  const std::vector<std::byte> bytes = make_list(coder, head.data(), floats(20, 12, 5, false));
  CHECK_THROWS(CorruptIndexError, "cannot hold 20 entries",
               spann::ListView(bytes.data(), bytes.size() - 8, coder.shape()));
}

TEST(a_rotation_keeps_lengths_and_spreads_them) {
  for (const std::size_t dim : {1, 2, 3, 64, 96, 127, 128, 200}) {
    const spann::Rotation rotation(dim, 5);
    for (const std::size_t axis : {std::size_t{0}, dim / 2, dim - 1}) {
      std::vector<float> vector(dim, 0.0F);
      vector[axis] = 2.0F;
      rotation.apply(vector.data());
      CHECK(std::fabs(product(vector.data(), vector.data(), dim) - 4.0) < 1e-4);
      float most = 0.0F;
      for (const float value : vector) most = std::max(most, std::fabs(value));
      CHECK(dim < 64 || most < 1.0F);
    }
  }
}

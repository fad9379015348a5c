// Planted bugs that turn these tests red, each tried on its own: ids that are slots, a search that leaves out the
// second comparison, counters that are not added up, more heads of a query copied than its survey has room for.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "hopspan/index.h"
#include "index/disk_files.h"
#include "index/disk_index.h"
#include "storage/container_bytes.h"
#include "storage/temporary_folder.h"
#include "test.h"

using hopspan::CorruptIndexError;
using hopspan::DType;
using hopspan::InvalidArgument;
using hopspan::IoError;
using hopspan::SearchOptions;
using hopspan::faults::Bytes;
using hopspan::faults::FaultEnv;
using hopspan::index::DiskIndex;
using hopspan::test::build_disk;
using hopspan::test::clustered;
using hopspan::test::disk_options;
using hopspan::test::open_disk;

namespace {

constexpr std::size_t kDim = 12;
constexpr std::size_t kCount = 4000;
constexpr std::size_t kQueries = 100;

struct Built {
  Built() : vectors(clustered(kCount, kDim, 1)), queries(clustered(kQueries, kDim, 7)) {
    build_disk(env, vectors, disk_options(kDim));
  }
  FaultEnv env;
  std::vector<float> vectors;
  std::vector<float> queries;
};

const Built& built() {
  static const Built one;
  return one;
}

std::unique_ptr<DiskIndex> open_built(FaultEnv& env) {
  env.put("index", built().env.bytes("index"));
  return open_disk(env);
}

std::vector<std::int64_t> search(const DiskIndex& index, const SearchOptions& options) {
  std::vector<std::int64_t> ids(kQueries * options.k);
  std::vector<float> distances(ids.size());
  index.search({built().queries.data(), kQueries, kDim, DType::kFloat32}, options, ids.data(), distances.data());
  for (std::size_t i = 1; i < ids.size(); ++i) CHECK(i % options.k == 0 || distances[i - 1] <= distances[i]);
  return ids;
}

std::vector<std::int64_t> truth(std::size_t query, std::size_t k) {
  std::vector<std::pair<double, std::int64_t>> all;
  for (std::size_t i = 0; i < kCount; ++i) {
    double sum = 0.0;
    for (std::size_t d = 0; d < kDim; ++d) {
      const double difference =
          static_cast<double>(built().vectors[i * kDim + d]) - static_cast<double>(built().queries[query * kDim + d]);
      sum += difference * difference;
    }
    all.emplace_back(sum, static_cast<std::int64_t>(i));
  }
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(k), all.end());
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i < k; ++i) ids.push_back(all[i].second);
  return ids;
}

double recall(const std::vector<std::int64_t>& ids, std::size_t k) {
  std::size_t hits = 0;
  for (std::size_t q = 0; q < kQueries; ++q) {
    for (const std::int64_t id : truth(q, k)) {
      const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(q * k);
      hits += static_cast<std::size_t>(std::count(begin, begin + static_cast<std::ptrdiff_t>(k), id));
    }
  }
  return static_cast<double>(hits) / static_cast<double>(ids.size());
}

}  // namespace

TEST(disk_index_reaches_the_recall_that_is_asked_for) {
  FaultEnv env;
  const auto index = open_built(env);
  for (const double target : {0.9, 0.99}) {
    SearchOptions options;
    options.recall = target;
    CHECK(recall(search(*index, options), 10) >= target - 0.02);
  }
  SearchOptions all;
  all.nprobe = 100000;
  CHECK(recall(search(*index, all), 10) > 0.995);
}

// The calibration looks at no more than 1,024 lists of a query.
TEST(disk_index_of_very_many_lists_is_calibrated) {
  FaultEnv env;
  const std::vector<float> vectors = clustered(30000, kDim, 1);
  hopspan::BuildOptions options = disk_options(kDim);
  options.index.spann.list_bytes = 256;
  build_disk(env, vectors, options);
  const auto index = open_disk(env);
  CHECK(index->stats().list_sizes.size() > 1100);
  CHECK_EQUAL(index->check(true).reachable, 30000u);
}

TEST(disk_index_finds_each_of_its_vectors) {
  FaultEnv env;
  const auto index = open_built(env);
  SearchOptions options;
  options.k = 1;
  options.nprobe = 4;
  std::vector<std::int64_t> ids(kCount);
  std::vector<float> distances(kCount);
  index->search({built().vectors.data(), kCount, kDim, DType::kFloat32}, options, ids.data(), distances.data());
  for (std::size_t i = 0; i < kCount; ++i) CHECK(ids[i] == static_cast<std::int64_t>(i) && distances[i] == 0.0F);
}

TEST(disk_index_of_an_earlier_layout_is_refused) {
  for (const hopspan::storage::Tag tag :
       {hopspan::storage::Tag("LST2"), hopspan::storage::Tag("LIST"), hopspan::storage::Tag("SPLS")}) {
    const Bytes earlier = hopspan::test::container_bytes(1, {std::pair(tag, Bytes(4096))});
    FaultEnv env;
    env.put("index", earlier);
    CHECK_THROWS(hopspan::VersionError, "build it again", open_disk(env));
    CHECK_THROWS(hopspan::VersionError, "build it again", hopspan::Index::from_bytes(earlier.data(), earlier.size()));
  }
}

TEST(disk_index_gives_its_vectors_back) {
  FaultEnv env;
  const auto index = open_built(env);
  CHECK_EQUAL(index->size(), kCount);
  std::vector<std::int64_t> ids = {17, 0, 3999, 17, 1234};
  std::vector<float> out(ids.size() * kDim);
  index->get(ids.data(), ids.size(), out.data());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CHECK(std::memcmp(&out[i * kDim], &built().vectors[static_cast<std::size_t>(ids[i]) * kDim], kDim * 4) == 0);
  }
  CHECK(index->contains(3999) && !index->contains(4000) && !index->contains(-1));
  ids[2] = 4000;
  CHECK_THROWS(InvalidArgument, "id 4000 (row 2)", index->get(ids.data(), ids.size(), out.data()));
  CHECK_THROWS(InvalidArgument, "cannot be added to",
               index->add({built().vectors.data(), 1, kDim, DType::kFloat32}, nullptr, {}));
}

TEST(disk_index_counts_what_it_reads) {
  FaultEnv env;
  const auto index = open_built(env);
  SearchOptions options;
  options.nprobe = 8;
  search(*index, options);
  const hopspan::ReadStats reads = index->stats().reads.value();
  CHECK_EQUAL(reads.searches, kQueries);
  CHECK_EQUAL(reads.round_trips, 2 * kQueries);
  CHECK_EQUAL(reads.lists, 8 * kQueries);
  CHECK(reads.vectors >= 10 * kQueries);
  CHECK(reads.list_pages >= 8 * kQueries);
  CHECK(reads.pages > reads.list_pages);
  CHECK(reads.computing_us > 0);
  CHECK_EQUAL(reads.bytes, reads.pages * 4096);
  CHECK(reads.pages > 8 * kQueries);
}

TEST(disk_index_with_a_cache_reads_less_and_finds_the_same) {
  FaultEnv env;
  const auto index = open_built(env);
  const DiskIndex cached(env.open_direct("index"), true, 8 << 20);
  const SearchOptions options;
  CHECK(search(*index, options) == search(cached, options));
  CHECK(search(*index, options) == search(cached, options));
  CHECK(cached.stats().reads->pages < index->stats().reads->pages / 4);
}

TEST(disk_index_saved_is_the_same_file) {
  FaultEnv env;
  const auto index = open_built(env);
  index->save(env, "copy");
  CHECK(env.bytes("copy") == env.bytes("index"));
  CHECK(index->to_bytes() == env.bytes("index"));
  CHECK_THROWS(IoError, "", env.fail_at(env.operations() + 1, ENOSPC); index->save(env, "other"));
  CHECK(!env.has("other"));
}

// Every page damaged in turn would take long; every 50th byte of the file does it.
TEST(disk_index_that_is_damaged_raises_or_finds_the_same) {
  const Bytes good = built().env.bytes("index");
  FaultEnv env;
  const auto index = open_built(env);
  SearchOptions options;
  options.nprobe = 5;
  const std::vector<std::int64_t> found = search(*index, options);
  std::size_t raised = 0;
  for (std::size_t at = 7; at < good.size(); at += 5003) {
    Bytes bad = good;
    bad[at] ^= std::byte{8};
    FaultEnv damaged;
    damaged.put("index", bad);
    try {
      CHECK(search(*open_disk(damaged), options) == found);
      CHECK_THROWS(CorruptIndexError, "", open_disk(damaged)->check(false));
    } catch (const CorruptIndexError&) {
      ++raised;
    }
  }
  CHECK(raised > 10);
}

TEST(disk_index_lives_on_after_a_read_error) {
  FaultEnv env;
  const auto index = open_built(env);
  SearchOptions options;
  options.threads = 1;
  const std::vector<std::int64_t> found = search(*index, options);
  for (std::size_t n = 0; n < 60; n += 7) {
    env.fail_read_at(env.reads() + n, EIO);
    try {
      search(*index, options);
      CHECK(false);
    } catch (const IoError& error) {
      CHECK_EQUAL(error.code(), EIO);
    }
    CHECK(search(*index, options) == found);
  }
}

TEST(disk_index_tunes_on_its_own_vectors_and_on_queries) {
  FaultEnv env;
  const auto index = open_built(env);
  const auto own = index->tune({nullptr, 0, kDim, DType::kFloat32}, {});
  CHECK(own.size() > 3 && own.back().recall > 0.99);
  const auto given = index->tune({built().queries.data(), kQueries, kDim, DType::kFloat32}, {});
  CHECK(given.back().recall > 0.99 && given.front().effort <= given.back().effort);
}

TEST(disk_index_checks_what_its_lists_hold) {
  FaultEnv env;
  const auto index = open_built(env);
  const hopspan::CheckReport report = index->check(true);
  CHECK_EQUAL(report.vectors, kCount);
  CHECK_EQUAL(report.reachable, kCount);
  CHECK(report.links >= kCount && report.links <= 8 * kCount);
}

TEST(disk_index_through_the_front_door) {
  const TemporaryFolder folder;
  hopspan::build({built().vectors.data(), kCount, kDim, DType::kFloat32}, folder.path() / "index", disk_options(kDim));
  CHECK(folder.read("index") == built().env.bytes("index"));
  CHECK_EQUAL(folder.names().size(), 1u);
  Bytes raw(5 + built().vectors.size() * 4);
  std::memcpy(raw.data() + 5, built().vectors.data(), raw.size() - 5);
  folder.write("rows", raw);
  hopspan::build(hopspan::FileRows{folder.path() / "rows", 5, kCount, kDim, DType::kFloat32}, folder.path() / "again",
                 disk_options(kDim));
  CHECK(folder.read("again") == built().env.bytes("index"));
  const hopspan::Index index = hopspan::Index::load(folder.path() / "index");
  CHECK(index.options().kind == hopspan::Kind::kSpann);
  const Bytes bytes = index.to_bytes();
  const hopspan::Index copy = hopspan::Index::from_bytes(bytes.data(), bytes.size());
  std::int64_t ids[2][3];
  float distances[3];
  SearchOptions options;
  options.k = 3;
  const hopspan::MatrixView query{built().queries.data(), 1, kDim, DType::kFloat32};
  index.search(query, options, ids[0], distances);
  copy.search(query, options, ids[1], distances);
  CHECK(std::equal(ids[0], ids[0] + 3, ids[1]));
}

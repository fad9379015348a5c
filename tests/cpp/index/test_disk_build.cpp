// Planted bugs that turn these tests red, each tried on its own: a phase that is taken up although its vectors are
// others', rows in the order of the source, no removal of the phases' files after an error.
#include <cerrno>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "index/disk_build.h"
#include "index/disk_files.h"
#include "test.h"

using hopspan::InvalidArgument;
using hopspan::IoError;
using hopspan::faults::Bytes;
using hopspan::faults::FaultEnv;
using hopspan::faults::PowerCut;
using hopspan::test::build_disk;
using hopspan::test::clustered;
using hopspan::test::disk_options;
using hopspan::test::open_disk;

namespace {

constexpr std::size_t kDim = 12;

Bytes reference(const std::vector<float>& vectors) {
  FaultEnv env;
  build_disk(env, vectors, disk_options(kDim));
  CHECK_EQUAL(env.names().size(), 1u);
  return env.bytes("index");
}

}  // namespace

TEST(disk_build_gives_the_same_bytes_on_any_number_of_threads) {
  const std::vector<float> vectors = clustered(3000, kDim, 1);
  const Bytes bytes = reference(vectors);
  for (const std::size_t threads : {1, 3}) {
    FaultEnv env;
    hopspan::BuildOptions options = disk_options(kDim);
    options.threads = threads;
    build_disk(env, vectors, options);
    CHECK(env.bytes("index") == bytes);
  }
}

TEST(disk_build_of_few_vectors) {
  for (const std::size_t count : {1, 2, 33}) {
    FaultEnv env;
    const std::vector<float> vectors = clustered(count, kDim, 1);
    build_disk(env, vectors, disk_options(kDim));
    const auto index = open_disk(env);
    CHECK_EQUAL(index->check(true).vectors, count);
    std::vector<std::int64_t> ids(count);
    std::vector<float> distances(count);
    hopspan::SearchOptions options;
    options.k = count;
    index->search({vectors.data(), 1, kDim, hopspan::DType::kFloat32}, options, ids.data(), distances.data());
    CHECK_EQUAL(ids[0], 0);
    CHECK(ids[count - 1] >= 0);
  }
}

TEST(disk_build_checks_deeply_under_every_metric_and_dtype) {
  for (const hopspan::Metric metric : {hopspan::Metric::kL2, hopspan::Metric::kIp, hopspan::Metric::kCosine}) {
    for (const hopspan::DType dtype : {hopspan::DType::kFloat32, hopspan::DType::kBFloat16}) {
      FaultEnv env;
      build_disk(env, clustered(500, kDim, 1), disk_options(kDim, metric, dtype));
      CHECK_EQUAL(open_disk(env)->check(true).reachable, 500u);
    }
  }
}

// The process is killed before operation n and the build is started again.
TEST(disk_build_goes_on_after_a_kill_at_every_operation) {
  const std::vector<float> vectors = clustered(400, kDim, 1);
  const Bytes bytes = reference(vectors);
  std::size_t resumed = 0;
  for (std::size_t cut = 0;; ++cut) {
    FaultEnv env;
    env.cut_power_at(cut);
    bool done = false;
    try {
      build_disk(env, vectors, disk_options(kDim));
      done = true;
    } catch (const PowerCut&) {
    }
    FaultEnv next;
    for (const std::string& name : env.names()) next.put(name, env.bytes(name));
    CHECK(!next.has("index") || next.bytes("index") == bytes);
    bool heads = false;
    hopspan::BuildOptions options = disk_options(kDim);
    options.progress = [&](const char* phase, std::size_t, std::size_t) { heads = heads || phase[0] == 'h'; };
    build_disk(next, vectors, options);
    CHECK(next.bytes("index") == bytes);
    resumed += !heads;
    if (done) break;
  }
  CHECK(resumed > 10);
}

TEST(disk_build_takes_up_no_phase_of_other_vectors_or_options) {
  const std::vector<float> vectors = clustered(400, kDim, 1);
  const std::vector<float> others = clustered(400, kDim, 2);
  for (std::size_t cut = 8; cut < 40; cut += 4) {
    FaultEnv env;
    env.cut_power_at(cut);
    try {
      build_disk(env, others, disk_options(kDim));
    } catch (const PowerCut&) {
    }
    FaultEnv next;
    for (const std::string& name : env.names()) next.put(name, env.bytes(name));
    build_disk(next, vectors, disk_options(kDim));
    CHECK(next.bytes("index") == reference(vectors));
  }
}

TEST(disk_build_is_whole_or_absent_after_a_power_cut) {
  const std::vector<float> vectors = clustered(200, kDim, 1);
  const Bytes bytes = reference(vectors);
  const auto build = [&](FaultEnv& env) { build_disk(env, vectors, disk_options(kDim)); };
  hopspan::faults::for_each_power_cut([](FaultEnv&) {}, build,
                                      [&](FaultEnv& survivor, bool done) {
                                        CHECK(!done || survivor.has("index"));
                                        if (survivor.has("index")) CHECK(survivor.bytes("index") == bytes);
                                      });
}

TEST(disk_build_on_a_full_disk_leaves_nothing) {
  const std::vector<float> vectors = clustered(200, kDim, 1);
  std::size_t failed = 0;
  for (std::size_t operation = 0;; ++operation) {
    FaultEnv env;
    env.fail_at(operation, ENOSPC);
    try {
      build_disk(env, vectors, disk_options(kDim));
    } catch (const IoError& error) {
      CHECK_EQUAL(error.code(), ENOSPC);
      ++failed;
      CHECK(env.names().empty() || (env.names().size() == 1 && env.has("index")));
    }
    CHECK(env.names().size() <= 2);  // a removal that fails leaves its file
    if (env.operations() <= operation) break;
  }
  CHECK(failed > 20);
}

TEST(disk_build_refuses_too_little_memory_before_it_starts) {
  FaultEnv env;
  hopspan::BuildOptions options = disk_options(kDim);
  options.memory = 1 << 20;
  CHECK_THROWS(InvalidArgument, "takes at least", build_disk(env, clustered(400, kDim, 1), options));
  CHECK_EQUAL(env.operations(), 0u);
}

TEST(disk_build_names_a_bad_row_and_leaves_nothing) {
  FaultEnv env;
  std::vector<float> vectors = clustered(400, kDim, 1);
  vectors[321 * kDim + 5] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS(InvalidArgument, "row 321 ", build_disk(env, vectors, disk_options(kDim)));
  CHECK(env.names().empty());
}

TEST(disk_build_that_is_cancelled_in_any_phase_leaves_nothing) {
  for (const std::string phase : {"check", "heads", "assign", "group", "write", "calibrate"}) {
    FaultEnv env;
    hopspan::BuildOptions options = disk_options(kDim);
    options.progress = [&](const char* name, std::size_t, std::size_t) {
      if (name == phase) throw std::runtime_error("enough of " + phase);
    };
    CHECK_THROWS(std::runtime_error, "enough of " + phase, build_disk(env, clustered(2000, kDim, 1), options));
    CHECK(env.names().empty());
  }
}

TEST(disk_build_of_nothing_or_of_another_shape_is_refused) {
  FaultEnv env;
  CHECK_THROWS(InvalidArgument, "at least 1 vector", build_disk(env, {}, disk_options(kDim)));
  const std::vector<float> vectors = clustered(10, 8, 1);
  const hopspan::vectors::ArraySource source({vectors.data(), 10, 8, hopspan::DType::kFloat32});
  CHECK_THROWS(InvalidArgument, "8 dimensions",
               hopspan::index::build_on_disk(env, source, "index", disk_options(kDim)));
  hopspan::BuildOptions graph = disk_options(8);
  graph.index.kind = hopspan::Kind::kHnsw;
  CHECK_THROWS(InvalidArgument, "kind spann", hopspan::index::build_on_disk(env, source, "index", graph));
}

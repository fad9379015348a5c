#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include "hopspan/index.h"
#include "index/results.h"
#include "test.h"

namespace {

using namespace hopspan;
using test::kKinds;
using test::make_vectors;
using test::options_for;
using test::Results;
using test::search;
using test::Vectors;
using test::with_ef;
using test::with_recall;

// The share of the exact index's results that the other one has too.
double recall_of(const Results& found, const Results& exact, std::size_t k) {
  std::size_t hits = 0;
  for (std::size_t begin = 0; begin < exact.ids.size(); begin += k) {
    for (std::size_t i = begin; i < begin + k; ++i) {
      hits +=
          static_cast<std::size_t>(std::count(found.ids.data() + begin, found.ids.data() + begin + k, exact.ids[i]));
    }
  }
  return static_cast<double>(hits) / static_cast<double>(exact.ids.size());
}

Index filled(const IndexOptions& options, const Vectors& data, const std::int64_t* ids = nullptr) {
  Index index(options);
  index.add(data.view(), ids);
  return index;
}

}  // namespace

TEST(index_adds_in_batches_and_finds_every_vector) {
  const Vectors data = make_vectors(DType::kFloat32, 500, 12, 1);
  for (const Kind kind : kKinds) {
    Index index(options_for(kind));
    std::vector<std::int64_t> ids;
    for (std::size_t first = 0, count = 1; first < 500; first += count, count = std::min(3 * count, 500 - first)) {
      const std::vector<std::int64_t> added = index.add(data.slice(first, count));
      ids.insert(ids.end(), added.begin(), added.end());
    }
    CHECK_EQUAL(index.size(), std::size_t{500});
    for (std::size_t i = 0; i < 500; ++i) CHECK_EQUAL(ids[i], static_cast<std::int64_t>(i));
    const Results found = search(index, data.view(), with_ef(1, 60));
    CHECK(found.ids == ids);
    CHECK(found.distances == std::vector<float>(500, 0.0F));
    const CheckReport report = index.check();
    CHECK(report.vectors == 500 && report.reachable == 500);
    CHECK((report.links != 0) == (kind == Kind::kHnsw));
  }
}

TEST(index_graph_finds_what_the_exact_index_finds) {
  for (const DType dtype : test::kDTypes) {
    for (const Metric metric : test::metrics_of(dtype)) {
      const std::size_t dim = dtype == DType::kBinary ? 128 : 16;
      const Vectors data = make_vectors(dtype, 900, dim, 2), queries = make_vectors(dtype, 50, dim, 3);
      const Index flat = filled(options_for(Kind::kFlat, dtype, metric, dim), data);
      const Index graph = filled(options_for(Kind::kHnsw, dtype, metric, dim), data);
      const Results exact = search(flat, queries.view(), with_ef(10, 900));
      const Results found = search(graph, queries.view(), with_ef(10, 900));
      CHECK(recall_of(found, exact, 10) > 0.97);  // below 1 for ties and for kernels in float32
      for (std::size_t i = 0; i < exact.distances.size(); ++i) {
        CHECK(std::abs(found.distances[i] - exact.distances[i]) <= 1e-4F * (1.0F + std::abs(exact.distances[i])));
      }
    }
  }
}

TEST(index_pads_where_there_are_too_few) {
  const Vectors data = make_vectors(DType::kFloat32, 3, 12, 4);
  for (const Kind kind : kKinds) {
    const Results nothing = search(Index(options_for(kind)), data.view(), with_ef(2, 5));
    CHECK(nothing.ids == std::vector<std::int64_t>(6, -1));
    CHECK(nothing.distances == std::vector<float>(6, std::numeric_limits<float>::infinity()));
    const Index index = filled(options_for(kind), data);
    for (const SearchOptions& options : {with_ef(5, std::size_t{1} << 60), with_recall(5, 0.9)}) {
      const Results found = search(index, data.view(), options);
      for (std::size_t row = 0; row < 3; ++row) {
        CHECK_EQUAL(found.ids[row * 5], static_cast<std::int64_t>(row));
        CHECK(std::is_sorted(found.distances.begin() + static_cast<std::ptrdiff_t>(row * 5),
                             found.distances.begin() + static_cast<std::ptrdiff_t>(row * 5 + 5)));
        CHECK(found.ids[row * 5 + 2] >= 0 && found.ids[row * 5 + 3] == -1 && found.ids[row * 5 + 4] == -1);
      }
    }
  }
}

TEST(index_orders_ties_by_id) {
  Vectors data{200, 2, DType::kFloat32, {}, {}};
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i < 200; ++i) {
    data.floats.insert(data.floats.end(), {static_cast<float>(i % 20), 1.0F});
    ids.push_back(static_cast<std::int64_t>((i * 37) % 211));
  }
  for (const Kind kind : kKinds) {
    const Index index = filled(options_for(kind, 2), data, ids.data());
    const Results found = search(index, data.slice(0, 20), with_ef(40, 200));
    for (std::size_t i = 0; i + 1 < found.ids.size(); ++i) {
      if (i % 40 != 39) CHECK(found.distances[i] < found.distances[i + 1] || found.ids[i] < found.ids[i + 1]);
    }
  }
}

TEST(index_gives_vectors_back) {
  for (const DType dtype : test::kDTypes) {
    const Vectors data = make_vectors(dtype, 20, 9, 5);
    Index index(options_for(Kind::kFlat, dtype, test::metrics_of(dtype).back(), 9));
    const std::vector<std::int64_t> ids{5, 3};
    index.add(data.slice(0, 2), ids.data());
    index.add(data.slice(2, 18));
    CHECK(index.contains(5) && index.contains(23) && !index.contains(0) && !index.contains(-3));
    std::vector<std::byte> out(2 * index.row_bytes());
    const std::vector<std::int64_t> wanted{6, 3};
    index.get(wanted.data(), 2, out.data());
    const MatrixView again{out.data(), 2, 9, dtype};
    Index copy(index.options());
    copy.add(again);
    CHECK(search(copy, data.slice(2, 1), with_ef(1, 20)).ids[0] == 0);
    CHECK(search(copy, data.slice(1, 1), with_ef(1, 20)).ids[0] == 1);
    const std::vector<std::int64_t> unknown{6, 4};
    CHECK_THROWS(InvalidArgument, "id 4 (row 1) is not in the index", index.get(unknown.data(), 2, out.data()));
  }
}

TEST(index_refuses_bad_options) {
  const auto refuse = [](auto change, const char* message) {
    IndexOptions options = options_for(Kind::kHnsw);
    change(options);
    CHECK_THROWS(InvalidArgument, message, Index index(options));
  };
  refuse([](IndexOptions& o) { o.dim = 0; }, "not 0");
  refuse([](IndexOptions& o) { o.dim = 65537; }, "not 65537");
  refuse([](IndexOptions& o) { o.metric = Metric::kHamming; }, "hamming");
  refuse([](IndexOptions& o) { o.hnsw.M = 1; }, "M must be 2..512, not 1");
  refuse([](IndexOptions& o) { o.hnsw.M = 513; }, "M must be 2..512, not 513");
  refuse([](IndexOptions& o) { o.hnsw.ef_construction = 7; }, "ef_construction must be 8..65536, not 7");
  refuse([](IndexOptions& o) { o.hnsw.ef_construction = 65537; }, "not 65537");
  refuse([](IndexOptions& o) { o.kind = static_cast<Kind>(9); }, "unknown kind number 9");
}

TEST(index_refuses_bad_searches) {
  for (const Kind kind : kKinds) {
    const Vectors data = make_vectors(DType::kFloat32, 30, 12, 6);
    const Index index = filled(options_for(kind), data);
    const auto refuse = [&](const SearchOptions& options, const char* message) {
      CHECK_THROWS(InvalidArgument, message, search(index, data.view(), options));
    };
    refuse(with_ef(0, 10), "k must be at least 1, not 0");
    refuse(with_ef(10, 5), "ef=5 is below k=10");
    for (const double recall : {0.0, 1.0, -0.5, 1.5, std::nan("")})
      refuse(with_recall(3, recall), "recall must lie between 0 and 1");
    SearchOptions both = with_ef(10, 20);
    both.recall = 0.9;
    refuse(both, "ef=20 and recall=0.9");
    CHECK_THROWS(InvalidArgument, "13", search(index, make_vectors(DType::kFloat32, 2, 13, 7).view(), with_ef(1, 1)));
    Vectors holed = data;
    holed.floats[12 * 4 + 3] = std::nanf("");
    CHECK_THROWS(InvalidArgument, "row 4", search(index, holed.view(), with_ef(1, 1)));
  }
}

TEST(index_stays_as_it_was_when_an_add_fails) {
  struct Cancelled {};
  const Vectors first = make_vectors(DType::kFloat32, 1500, 12, 8);
  Vectors second = make_vectors(DType::kFloat32, 2500, 12, 9);
  for (const Kind kind : kKinds) {
    for (const bool own_ids : {false, true}) {
      std::vector<std::int64_t> ids(2500);
      for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(10 * i + 3);
      Index index = filled(options_for(kind), first, own_ids ? ids.data() : nullptr);
      const std::vector<std::byte> before = index.to_bytes();
      Vectors holed = second;
      holed.floats[12 * 1250] = std::numeric_limits<float>::infinity();
      CHECK_THROWS(InvalidArgument, "row 1250", index.add(holed.view()));
      CHECK(index.to_bytes() == before);
      std::vector<std::int64_t> repeated(2500, 100001);
      CHECK_THROWS(InvalidArgument, "id 100001 is given twice", index.add(second.view(), repeated.data()));
      CHECK(index.to_bytes() == before);
      // The graph reports the end once when all vectors are in, and then again and again while it calibrates.
      for (const std::size_t ends : {0, 1, 3}) {
        AddOptions options;
        std::size_t seen = 0;
        options.progress = [&](std::size_t done, std::size_t total) {
          seen += done == total;
          if (seen >= ends) throw Cancelled();
        };
        bool cancelled = false;
        try {
          index.add(second.view(), nullptr, options);
        } catch (const Cancelled&) {
          cancelled = true;
        }
        CHECK_EQUAL(cancelled, kind == Kind::kHnsw);
        if (cancelled) CHECK(index.to_bytes() == before);
      }
      if (kind == Kind::kFlat) continue;
      index.add(second.view());
      Index unharmed = filled(options_for(kind), first, own_ids ? ids.data() : nullptr);
      unharmed.add(second.view());
      CHECK(index.to_bytes() == unharmed.to_bytes());
    }
  }
}

TEST(index_is_the_same_on_any_number_of_threads) {
  const Vectors data = make_vectors(DType::kFloat32, 3000, 12, 10);
  for (const Kind kind : kKinds) {
    std::vector<std::byte> bytes;
    for (const std::size_t threads : {1, 2, 4}) {
      Index index(options_for(kind));
      AddOptions options;
      options.threads = threads;
      index.add(data.slice(0, 1200), nullptr, options);
      index.add(data.slice(1200, 1800), nullptr, options);
      if (threads == 1) bytes = index.to_bytes();
      CHECK(index.to_bytes() == bytes);
      SearchOptions alone = with_ef(7, 30), together = alone;
      together.threads = threads;
      CHECK(search(index, data.view(), together) == search(index, data.view(), alone));
    }
  }
}

TEST(index_searches_beside_changes) {
  const Vectors data = make_vectors(DType::kFloat32, 1600, 12, 18);
  for (const Kind kind : kKinds) {
    Index index(options_for(kind));
    std::atomic<std::size_t> present{0};
    std::atomic<std::size_t> lost{0};
    const auto look = [&] {
      for (std::size_t turn = 0; present < data.rows; ++turn) {
        const std::size_t count = present;
        if (count == 0) continue;
        const std::size_t row = core::random_u64(19, turn) % count;
        const bool found = search(index, data.slice(row, 1), with_ef(1, 60)).ids[0] == static_cast<std::int64_t>(row);
        if (!found || !index.contains(static_cast<std::int64_t>(row)) || index.size() < count) ++lost;
      }
    };
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) readers.emplace_back(look);
    for (std::size_t first = 0; first < data.rows; first += 100) {
      index.add(data.slice(first, 100));
      present = first + 100;
    }
    for (std::thread& reader : readers) reader.join();
    CHECK_EQUAL(lost.load(), std::size_t{0});
    CHECK_EQUAL(index.check().reachable, data.rows);
  }
}

TEST(index_size_does_not_wait_for_a_change) {
  const Vectors data = make_vectors(DType::kFloat32, 300, 12, 20);
  Index index = filled(options_for(Kind::kHnsw), data);
  AddOptions options;
  std::size_t calls = 0;
  options.progress = [&](std::size_t, std::size_t) { calls += index.size() == 300; };
  index.add(data.view(), nullptr, options);
  CHECK(calls > 0);
  CHECK_EQUAL(index.size(), std::size_t{600});
  CHECK_EQUAL(Index::from_bytes(index.to_bytes().data(), index.to_bytes().size()).size(), std::size_t{600});
}

TEST(index_search_can_be_cancelled) {
  struct Cancelled {};
  const Vectors data = make_vectors(DType::kFloat32, 2000, 12, 11);
  for (const Kind kind : kKinds) {
    const Index index = filled(options_for(kind), data);
    SearchOptions options = with_ef(5, 50);
    options.progress = [](std::size_t, std::size_t) { throw Cancelled(); };
    bool cancelled = false;
    try {
      search(index, data.view(), options);
    } catch (const Cancelled&) {
      cancelled = true;
    }
    CHECK(cancelled);
  }
}

TEST(index_reaches_the_recall_that_is_asked_for) {
  const Vectors data = make_vectors(DType::kFloat32, 6000, 24, 12),
                queries = make_vectors(DType::kFloat32, 1000, 24, 13);
  const Index graph = filled(options_for(Kind::kHnsw, 24), data), flat = filled(options_for(Kind::kFlat, 24), data);
  for (const std::size_t k : {3, 10, 30}) {
    const Results exact = search(flat, queries.view(), with_ef(k, k));
    double before = 0.0;
    for (const double target : {0.90, 0.95, 0.99}) {
      const double recall = recall_of(search(graph, queries.view(), with_recall(k, target)), exact, k);
      CHECK(recall > target - 0.01 && recall < target + 0.05 && recall > before);
      before = recall;
    }
  }
  SearchOptions bare;
  bare.k = 10;
  CHECK(search(graph, queries.view(), bare) == search(graph, queries.view(), with_recall(10, 0.95)));
}

TEST(index_tunes_itself_to_queries) {
  const Vectors data = make_vectors(DType::kFloat32, 3000, 24, 14);
  Vectors queries = make_vectors(DType::kFloat32, 300, 24, 15);
  for (float& value : queries.floats) value *= 3.0F;  // unlike the vectors, and harder
  Index graph = filled(options_for(Kind::kHnsw, 24), data);
  const Index flat = filled(options_for(Kind::kFlat, 24), data);
  TuneOptions options;
  options.k = 5;
  const std::vector<TunePoint> own = graph.tune({}, options), theirs = graph.tune(queries.view(), options);
  for (const auto& points : {own, theirs}) {
    CHECK(points.front().effort >= 5 && points.back().recall >= 0.99);
    for (std::size_t i = 1; i < points.size(); ++i) CHECK(points[i].effort > points[i - 1].effort);
    for (const TunePoint& point : points) CHECK(point.qps > 0.0 && point.recall > 0.0 && point.recall <= 1.0);
  }
  const Results exact = search(flat, queries.view(), with_ef(5, 5));
  CHECK(recall_of(search(graph, queries.view(), with_recall(5, 0.95)), exact, 5) > 0.94);
  const Index again = Index::from_bytes(graph.to_bytes().data(), graph.to_bytes().size());
  CHECK(search(again, queries.view(), with_recall(5, 0.95)) == search(graph, queries.view(), with_recall(5, 0.95)));
}

TEST(index_tunes_where_there_is_little) {
  for (const Kind kind : kKinds) {
    Index index(options_for(kind));
    CHECK_THROWS(InvalidArgument, "an empty index cannot be tuned", index.tune({}));
    const Vectors data = make_vectors(DType::kFloat32, 3, 12, 16);
    index.add(data.slice(0, 1));
    if (kind == Kind::kHnsw) CHECK_THROWS(InvalidArgument, "none to hold out", index.tune({}));
    CHECK(!index.tune(data.view()).empty());
    CHECK_THROWS(InvalidArgument, "at least 1 query, not 0", index.tune(data.slice(0, 0)));
    index.add(data.slice(1, 2));
    CHECK(!index.tune({}).empty());
    TuneOptions options;
    options.k = 0;
    CHECK_THROWS(InvalidArgument, "k must be at least 1, not 0", index.tune({}, options));
  }
}

TEST(index_tells_its_statistics) {
  const Vectors data = make_vectors(DType::kFloat32, 600, 12, 17);
  const Index graph = filled(options_for(Kind::kHnsw), data);
  const Stats stats = graph.stats();
  CHECK(stats.size == 600 && !stats.mapped && stats.level_sizes.size() > 1 && stats.level_sizes[0] == 600);
  CHECK(stats.mean_degree > 2.0 && stats.max_degree <= 16 &&
        stats.mean_degree <= static_cast<double>(stats.max_degree));
  CHECK_EQUAL(stats.bytes.size(), std::size_t{3});
  CHECK(stats.bytes[0].first == "vectors" && stats.bytes[0].second >= 600 * 48);
  CHECK(stats.bytes[1].first == "ids" && stats.bytes[1].second == 0);
  CHECK(stats.bytes[2].first == "graph" && stats.bytes[2].second >= 600 * 64);
  CHECK_EQUAL(filled(options_for(Kind::kFlat), data).stats().bytes.size(), std::size_t{2});
}

// Batches of vectors that a test gives to an index, and what must be found of them afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "durable/reader.h"
#include "durable/writer.h"
#include "index/results.h"
#include "test.h"

namespace hopspan::test {

inline constexpr const char* kFolder = "there/index";

inline OpenOptions appending(bool sync = true) {
  OpenOptions options;
  options.mode = OpenMode::kAppend;
  options.sync = sync;
  options.threads = 1;
  options.create = options_for(Kind::kFlat, 3);
  return options;
}

inline std::unique_ptr<durable::Writer> open_writer(storage::Env& env, bool sync = true) {
  return std::make_unique<durable::Writer>(env, kFolder, appending(sync), std::chrono::milliseconds(0));
}

class Ledger {
 public:
  // Adds a batch of 1 to 5 vectors; it counts once the call has returned.
  void add(durable::Writer& writer) {
    const std::size_t number = batches_.size();
    batches_.push_back({{}, make_vectors(DType::kFloat32, 1 + number * 3 % 5, 3, number), false});
    Batch& batch = batches_.back();
    for (std::size_t i = 0; i < batch.data.rows; ++i) batch.ids.push_back(static_cast<std::int64_t>(number * 10 + i));
    AddOptions options;
    options.threads = 1;
    writer.add(batch.data.view(), batch.ids.data(), options);
    batch.returned = true;
    if (sync_) safe_ = batches_.size();
  }
  // Everything that has returned is on the device.
  void flushed() { safe_ = batches_.size(); }
  void without_sync() { sync_ = false; }
  std::size_t size() const { return batches_.size(); }

  // Each batch is there as a whole or not at all, and what was safe is there. Returns how many batches are.
  std::size_t check(const durable::Opened& index) const {
    std::size_t found = 0, vectors = 0;
    for (std::size_t b = 0; b < batches_.size(); ++b) {
      const Batch& batch = batches_[b];
      const bool there = index.contains(batch.ids[0]);
      if (batch.returned && b < safe_) CHECK(there);
      for (const std::int64_t id : batch.ids) CHECK_EQUAL(index.contains(id), there);
      if (!there) continue;
      ++found;
      vectors += batch.ids.size();
      std::vector<float> stored(batch.data.floats.size());
      index.get(batch.ids.data(), batch.ids.size(), stored.data());
      CHECK(stored == batch.data.floats);
    }
    CHECK_EQUAL(index.size(), vectors);
    return found;
  }
  // The batches that are there are the first so many.
  void check_prefix(const durable::Opened& index) const {
    const std::size_t found = check(index);
    for (std::size_t b = 0; b < batches_.size(); ++b) CHECK_EQUAL(index.contains(batches_[b].ids[0]), b < found);
  }

 private:
  struct Batch {
    std::vector<std::int64_t> ids;
    Vectors data;
    bool returned;
  };

  std::vector<Batch> batches_;
  std::size_t safe_ = 0;
  bool sync_ = true;
};

}  // namespace hopspan::test

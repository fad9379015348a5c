// How far to go through the lists and how many candidates to compare again for a recall target: what was measured to
// reach it with the least pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "spann/clustering/centers.h"
#include "spann/search.h"
#include "storage/byte_reader.h"

namespace hopspan::index {

struct ListEffort {
  float reach;  // as spann::SearchRequest has it
  std::size_t probes;
  std::size_t candidates;
};

class ListCalibration {
 public:
  struct Step {
    float reach;
    std::uint32_t lists;  // of a query on average
    std::uint32_t most;   // lists of any query
    std::uint32_t candidates;
    double recall;
  };
  using Frontier = std::vector<Step>;  // recalls rise, and so does what a step costs

  ListCalibration() = default;
  // ks rise; one frontier for each.
  ListCalibration(std::vector<std::uint32_t> ks, std::vector<Frontier> frontiers);

  bool empty() const noexcept { return frontiers_.empty(); }

  // The effort for k neighbours; not empty.
  ListEffort effort(std::size_t k, double recall) const;
  // How many candidates go with so many lists.
  std::size_t candidates(std::size_t k, std::size_t probes) const;

  void write(storage::ByteWriter& writer) const;
  // Throws CorruptIndexError unless the bytes are those of a calibration.
  static ListCalibration read(storage::ByteReader& reader);

 private:
  std::vector<std::uint32_t> ks_;
  std::vector<Frontier> frontiers_;
};

// Measures what queries of known neighbours would find within every reach and with every number of candidates.
class ListMeter {
 public:
  // ks rise; lists: how many of a query's nearest ones are looked at.
  ListMeter(std::vector<std::uint32_t> ks, std::size_t lists);

  // How many entries of a query matter, the nearest ones.
  std::size_t most() const noexcept { return most_.back(); }

  // A query's survey with its seen entries in order, and what is added to their distances to make whole ones.
  struct Query {
    const spann::Survey& survey;
    float offset;
  };

  // Chooses the reaches by some queries, before any is added.
  void choose_reaches(const std::vector<Query>& some);
  // truth: the slots of the nearest ks.back() vectors, nearest first. One thread at a time.
  void add(const Query& query, const std::uint32_t* truth);

  // list_pages: of a list, where a candidate costs one.
  ListCalibration::Frontier frontier(std::size_t k_index, double list_pages) const;

 private:
  struct Level {
    float reach = 0.0F;
    std::uint64_t lists = 0;
    std::uint32_t most = 0;
  };

  void add_one(std::size_t k_index, const Query& query, const std::uint32_t* truth);
  // What it finds within each level, which takes so many lists: for each number of candidates the hits that take
  // exactly as many. A vector of several entries counts once, at their mean.
  std::vector<std::uint32_t> hits(std::size_t k, const std::vector<spann::Seen>& by_slot, const std::uint32_t* truth,
                                  const std::vector<std::uint32_t>& lists) const;

  std::vector<std::uint32_t> ks_;
  std::vector<std::uint32_t> places_;  // of the lists that reaches are chosen by
  std::vector<std::uint32_t> most_;    // numbers of candidates
  std::vector<Level> levels_;          // places_.size() for each k
  std::vector<std::uint64_t> hits_;    // most_.size() for each level
  std::uint64_t queries_ = 0;
};

}  // namespace hopspan::index

// How many lists to probe and how many candidates to compare again for a recall target: what was measured to reach it
// with the least pages, apart for queries that are easy and hard to tell from the heads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "spann/clustering/centers.h"
#include "storage/byte_reader.h"

namespace hopspan::index {

struct ListEffort {
  std::size_t probes;
  std::size_t candidates;
};

class ListCalibration {
 public:
  struct Step {
    std::uint32_t probes;
    std::uint32_t candidates;
    double recall;
  };
  using Frontier = std::vector<Step>;  // recalls rise, and so does what a step costs

  // How many of a query's heads say how hard it is.
  static constexpr std::size_t kHeads = 32;

  ListCalibration() = default;
  // ks rise; limits too, and part queries by their hardness; frontiers[i][j] is of the i-th part and ks[j].
  ListCalibration(std::vector<std::uint32_t> ks, std::vector<double> limits,
                  std::vector<std::vector<Frontier>> frontiers);

  bool empty() const noexcept { return frontiers_.empty(); }

  // Of a query, given its nearest heads and its squared norm under l2: how alike their distances are.
  static double hardness(const spann::Nearest* heads, std::size_t count, double square);
  // Which part of the queries one of this hardness belongs to.
  std::size_t part(double hardness) const;
  std::size_t parts() const noexcept { return frontiers_.size(); }

  // The effort for k neighbours; not empty.
  ListEffort effort(std::size_t part, std::size_t k, double recall) const;
  // How many candidates go with so many lists.
  std::size_t candidates(std::size_t k, std::size_t probes) const;

  void write(storage::ByteWriter& writer) const;
  // Throws CorruptIndexError unless the bytes are those of a calibration.
  static ListCalibration read(storage::ByteReader& reader);

 private:
  std::vector<std::uint32_t> ks_;
  std::vector<double> limits_;
  std::vector<std::vector<Frontier>> frontiers_;
};

// Measures what queries of known neighbours would find with every number of lists and of candidates.
class ListMeter {
 public:
  // ks rise; lists: how many of a query's nearest ones are looked at.
  ListMeter(std::vector<std::uint32_t> ks, std::size_t lists);

  struct Seen {
    float score;
    std::uint32_t list;  // its place among the query's lists
    std::uint32_t slot;

    friend bool operator<(const Seen& a, const Seen& b) {
      return a.score < b.score || (a.score == b.score && a.slot < b.slot);
    }
  };

  // seen: sorted; truth: the slots of the nearest ks.back() vectors, nearest first. One thread at a time.
  void add(const std::vector<Seen>& seen, const std::uint32_t* truth);

  // list_pages: of a list, where a candidate costs one. caution: how many standard errors less than was measured the
  // recalls are.
  ListCalibration::Frontier frontier(std::size_t k_index, double list_pages, double caution) const;

 private:
  struct Sum {
    std::uint64_t hits = 0;
    std::uint64_t squares = 0;
  };
  std::size_t at(std::size_t k, std::size_t p, std::size_t c) const {
    return (k * probes_.size() + p) * most_.size() + c;
  }

  std::vector<std::uint32_t> ks_;
  std::vector<std::uint32_t> probes_;
  std::vector<std::uint32_t> most_;  // numbers of candidates
  std::vector<Sum> sums_;
  std::uint64_t queries_ = 0;
};

}  // namespace hopspan::index

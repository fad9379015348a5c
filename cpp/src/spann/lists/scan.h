// Finds the entries of a list that are near to a query.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "spann/lists/coder.h"
#include "spann/lists/format.h"

namespace hopspan::spann {

// What a thread needs; what a scan has found is in positions and scores.
struct ScanScratch {
  std::vector<std::uint32_t> positions;  // in the list, ascending
  std::vector<float> scores;
  std::vector<std::byte> block;  // a list's last one, at full width
};

// Finds the entries whose scores, as Coder has them, are below the limit, and returns how many there are.
std::size_t scan_list(const ListView& list, const Tables& tables, float limit, ScanScratch& scratch);

}  // namespace hopspan::spann

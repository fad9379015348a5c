// Insertion into a graph, in batches that any number of threads build alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/fair_mutex.h"
#include "hnsw/graph.h"
#include "hnsw/space.h"

namespace hopspan::hnsw {

// Which slots join. They ascend, and each is free (graph.h) or beyond the size of the graph.
struct Joining {
  std::vector<std::uint32_t> slots;
  // Names slots that no new node shall link to where it has the choice; may be null. Called from any thread.
  std::function<bool(std::uint32_t slot)> is_dead;
  bool refine = false;  // all nodes choose their links anew in the end (hnsw/refine.h)
  // Held by the caller: it is free, and the graph may be searched, while nothing changes that is linked to. May be
  // null.
  core::FairMutex* mutex = nullptr;
  // Those of them, ascending, that join when `accept` has seen the graph without them. Then a few may not choose anew.
  std::vector<std::uint32_t> late = {};
};

// What graph.replaced is when these slots have joined, unless they choose anew.
std::size_t replaced_with(const Graph& graph, const std::vector<std::uint32_t>& slots);

// The result depends on the graph, the vectors, the options and the seed, never on `threads`. `accept`, when there is
// one, sees the graph with all of them in but the late ones. When insert throws, and when `accept` does, the graph is
// as it was.
void insert(Graph& graph, const Space& space, const Joining& joining, const HnswOptions& options, std::uint64_t seed,
            std::size_t threads, const Progress& progress, const std::function<void()>& accept = {});

// Adds the slots [graph.size(), space.size()).
void insert(Graph& graph, const Space& space, const HnswOptions& options, std::uint64_t seed, std::size_t threads,
            const Progress& progress, const std::function<void()>& accept = {});

}  // namespace hopspan::hnsw
